"""What errors say in the same words of many functions: what is expected, and what stands before what came."""

NO_ARRAY = "expected a tensor, a number or a rectangular array of numbers, got"
NO_TAPS = "expected at least 1 coefficient along the last axis, got shape"
A0 = "a: expected a[..., 0] != 0, got 0"
DTYPES = "expected a dtype among float16, bfloat16, float32, float64, complex64, complex128 and the integers, got"
BACKWARD = "backward: expected 'one_pass' or 'two_pass', got"
ROWS = "x: expected leading dimensions that broadcast, got"
TIME = "expected T = 5 or 1 along the last axis but one, got shape"


def too_many_rows(expected: str, got: str) -> str:
    """The sentence about a state with more rows than the signal has."""
    return f"zi: expected a shape that broadcasts to {expected} (time last), got {got}"


def state(length: int, shape: str) -> str:
    return f"zi: expected {length} values along axis -1, got shape {shape}"

// Every tile and kernel header is compiled once per instruction set. Their code lives in an
// anonymous namespace inside one named after the instruction set: an inline function compiled
// for AVX-512 must never be the copy that the linker keeps for everybody.
#pragma once

#ifndef POLEZERO_ISA
#define POLEZERO_ISA host
#endif

#define POLEZERO_ISA_BEGIN \
  namespace polezero {     \
  namespace POLEZERO_ISA { \
  namespace {
#define POLEZERO_ISA_END \
  }                      \
  }                      \
  }

"""Design of filters: prototypes, band transforms and sections, in pairs of real numbers and float64."""

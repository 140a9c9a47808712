// Elementary functions, the same to the bit on every host: only +, -, *, / and sqrt of IEEE
// doubles, none of the C library's functions. Errors stay below 0.9 units in the last place, for
// most below 0.65 (tests/unit/fmath_test.c has the limits). Special values as in C's Annex F.
#pragma once

double sk_math_sin(double x);
double sk_math_cos(double x);
double sk_math_tan(double x);
double sk_math_asin(double x);
double sk_math_acos(double x);
double sk_math_atan(double x);
double sk_math_atan2(double y, double x);
double sk_math_sinh(double x);
double sk_math_cosh(double x);
double sk_math_tanh(double x);
double sk_math_exp(double x);
double sk_math_exp2(double x);
double sk_math_expm1(double x);
double sk_math_log(double x);
double sk_math_log2(double x);
double sk_math_log10(double x);
double sk_math_log1p(double x);
double sk_math_cbrt(double x);
double sk_math_pow(double x, double y);
double sk_math_hypot(double x, double y);

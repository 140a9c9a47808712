// Numbers as text and back, the same on every host.
#pragma once

#include "base/str.h"

#define SK_INT_TEXT_BYTES 24
#define SK_FLOAT_TEXT_BYTES 32
/// Both return the length; no NUL.
size_t sk_int_text(int64_t value, char out[SK_INT_TEXT_BYTES]);
/// Shortest text that reads back equal: "1.0", "0.1", "1e100", "nan", "inf", "-inf".
size_t sk_float_text(double value, char out[SK_FLOAT_TEXT_BYTES]);
/// Fixed notation with `digits` digits after the point (0..100), correctly rounded. out needs 480.
size_t sk_float_fixed(double value, int digits, char *out);
/// The whole text must be a number: [-+]digits (base 10), or [-+]0x/0b/0o; false if not or too
/// large.
bool sk_int_parse(SkStr text, int64_t *out);
/// Decimal notation with optional sign, fraction, exponent; "nan", "inf", "-inf". Correctly
/// rounded.
bool sk_float_parse(SkStr text, double *out);

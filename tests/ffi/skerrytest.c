// The C library that the tests of `extern` call.
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

// ---- numbers
EXPORT int8_t t_i8(int8_t x);
EXPORT uint8_t t_u8(uint8_t x);
EXPORT int16_t t_i16(int16_t x);
EXPORT uint16_t t_u16(uint16_t x);
EXPORT int32_t t_i32(int32_t x);
EXPORT uint32_t t_u32(uint32_t x);
EXPORT int64_t t_i64(int64_t x);
EXPORT float t_f32(float x);
EXPORT double t_f64(double x);
EXPORT int t_not(int x);
EXPORT int t_seven(void);
EXPORT void t_nothing(void);
EXPORT double t_many(int8_t a, double b, int16_t c, float d, int32_t e, double f, int64_t g,
                     uint8_t h, double i, uint32_t j, double k, double l);
int8_t t_i8(int8_t x) { return (int8_t)(x - 1); }
uint8_t t_u8(uint8_t x) { return (uint8_t)(x + 1); }
int16_t t_i16(int16_t x) { return (int16_t)(x - 1); }
uint16_t t_u16(uint16_t x) { return (uint16_t)(x + 1); }
int32_t t_i32(int32_t x) { return x - 1; }
uint32_t t_u32(uint32_t x) { return x + 1; }
int64_t t_i64(int64_t x) { return x - 1; }
float t_f32(float x) { return x / 3; }
double t_f64(double x) { return x / 3; }
int t_not(int x) { return x == 0 ? 40 : 0; }
int t_seven(void) { return 7; }
void t_nothing(void) {}
double t_many(int8_t a, double b, int16_t c, float d, int32_t e, double f, int64_t g, uint8_t h,
              double i, uint32_t j, double k, double l) {
  return a + 2 * b + 3 * c + 4 * (double)d + 5 * e + 6 * f + 7 * (double)g + 8 * h + 9 * i +
         10 * (double)j + 11 * k + 12 * l;
}

// ---- strings, bytes, handles
typedef struct {
  int64_t value;
} Box;
EXPORT int64_t t_length(const char *text);
EXPORT const char *t_greet(const char *name);
EXPORT const char *t_maybe(int there);
EXPORT const char *t_broken(void);
EXPORT int64_t t_sum_bytes(const uint8_t *bytes, int64_t count);
EXPORT void t_fill(uint8_t *bytes, int64_t count, uint8_t with);
EXPORT Box *t_box(int64_t value);
EXPORT Box *t_no_box(void);
EXPORT int64_t t_open_box(const Box *box);
EXPORT void t_free_box(Box *box);
EXPORT int32_t t_divide(int64_t a, int64_t b, int64_t *quotient, int32_t *rest, const char **why);
EXPORT int32_t t_find_box(int64_t value, Box **box);
int64_t t_length(const char *text) { return text ? (int64_t)strlen(text) : -1; }
const char *t_greet(const char *name) {
  static char text[256];
  strcpy(text, "hello ");
  strncat(text, name, 200);
  return text;
}
const char *t_maybe(int there) { return there ? "there" : NULL; }
const char *t_broken(void) { return "a\xFF"
                                    "b"; }
int64_t t_sum_bytes(const uint8_t *bytes, int64_t count) {
  int64_t sum = 0;
  for (int64_t i = 0; i < count; i++) sum += bytes[i];
  return sum;
}
void t_fill(uint8_t *bytes, int64_t count, uint8_t with) { memset(bytes, with, (size_t)count); }
Box *t_box(int64_t value) {
  Box *box = malloc(sizeof *box);
  box->value = value;
  return box;
}
Box *t_no_box(void) { return NULL; }
int64_t t_open_box(const Box *box) { return box ? box->value : -1; }
void t_free_box(Box *box) { free(box); }
int32_t t_divide(int64_t a, int64_t b, int64_t *quotient, int32_t *rest, const char **why) {
  if (b == 0) {
    *why = "division by zero";
    return 1;
  }
  *quotient = a / b;
  *rest = (int32_t)(a % b);
  return 0;
}
int32_t t_find_box(int64_t value, Box **box) {
  if (value < 0) return 1;
  *box = t_box(value);
  return 0;
}

// ---- structs
typedef struct {
  double x, y;
} Point;
typedef struct {
  Point low, high;
} Rect;
typedef struct {
  int8_t a;
  int32_t b;
  float c;
  _Bool d;
  uint16_t e;
} Mixed;
typedef struct {
  struct {
    int64_t whole;
    int8_t part;
  } head;
  int8_t tail;
} Padded;
typedef struct {
  float r, g, b;
} Colour;
EXPORT Point t_move(Point p, double dx);
EXPORT double t_area(Rect r);
EXPORT Rect t_around(Point p, double size);
EXPORT Mixed t_mixed(Mixed m);
EXPORT int64_t t_padded(Padded p);
EXPORT Colour t_colour(Colour c, float by);
EXPORT double t_sum_points(const Point *points, int64_t count);
EXPORT void t_move_points(Point *points, int64_t count, double dx);
EXPORT void t_sort(int32_t *numbers, int64_t count);
EXPORT int32_t t_corner(Rect r, Point *corner);
Point t_move(Point p, double dx) { return (Point){p.x + dx, p.y}; }
double t_area(Rect r) { return (r.high.x - r.low.x) * (r.high.y - r.low.y); }
Rect t_around(Point p, double size) {
  return (Rect){{p.x - size, p.y - size}, {p.x + size, p.y + size}};
}
Mixed t_mixed(Mixed m) {
  return (Mixed){(int8_t)(m.a + 1), m.b + 1, m.c + 1, !m.d, (uint16_t)(m.e + 1)};
}
int64_t t_padded(Padded p) { return p.head.whole * 10000 + p.head.part * 100 + p.tail; }
Colour t_colour(Colour c, float by) { return (Colour){c.r * by, c.g * by, c.b * by}; }
double t_sum_points(const Point *points, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += points[i].x * points[i].y;
  return sum;
}
void t_move_points(Point *points, int64_t count, double dx) {
  for (int64_t i = 0; i < count; i++) points[i].x += dx;
}
static int by_number(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}
void t_sort(int32_t *numbers, int64_t count) {
  qsort(numbers, (size_t)count, sizeof *numbers, by_number);
}
int32_t t_corner(Rect r, Point *corner) {
  *corner = r.high;
  return 3;
}

// ---- callbacks
EXPORT int64_t t_each(int64_t count, int64_t (*fn)(int64_t));
EXPORT double t_apply(double x, double (*fn)(double));
EXPORT int8_t t_small(int8_t x, int8_t (*fn)(int8_t, uint16_t, float));
EXPORT int t_texts(const char *const *unused, int (*fn)(const char *, const char *));
EXPORT Box *t_boxes(Box *box, Box *(*fn)(Box *, Box *));
EXPORT double t_points(int64_t count, double (*fn)(Point, int32_t));
EXPORT int64_t t_nested(int64_t depth, int64_t (*fn)(int64_t));
EXPORT int64_t t_two(int64_t (*a)(int64_t), int64_t (*b)(int64_t));
EXPORT void t_keep(int64_t (*fn)(int64_t));
EXPORT int64_t t_use_kept(void);
EXPORT int64_t t_elsewhere(int64_t (*fn)(int64_t));
EXPORT int64_t t_list_meanwhile(const uint8_t *bytes, int64_t count, void (*fn)(void));
int64_t t_each(int64_t count, int64_t (*fn)(int64_t)) {
  int64_t sum = 0;
  for (int64_t i = 0; i < count; i++) sum += fn(i);
  return sum;
}
double t_apply(double x, double (*fn)(double)) { return fn(x) + 1; }
int8_t t_small(int8_t x, int8_t (*fn)(int8_t, uint16_t, float)) {
  return (int8_t)(fn(x, 65535, 0.5f) - 1);
}
int t_texts(const char *const *unused, int (*fn)(const char *, const char *)) {
  (void)unused;
  return fn("first", NULL) + fn("second", "given");
}
Box *t_boxes(Box *box, Box *(*fn)(Box *, Box *)) { return fn(box, NULL); }
double t_points(int64_t count, double (*fn)(Point, int32_t)) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += fn((Point){(double)i, 2.0}, (int32_t)i);
  return sum;
}
int64_t t_nested(int64_t depth, int64_t (*fn)(int64_t)) { return fn(depth); }
int64_t t_two(int64_t (*a)(int64_t), int64_t (*b)(int64_t)) { return a(1) * 100 + b(2); }
static int64_t (*kept)(int64_t);
void t_keep(int64_t (*fn)(int64_t)) { kept = fn; }
int64_t t_use_kept(void) { return kept(5); }
static void *call_it(void *fn) {
  ((int64_t(*)(int64_t))fn)(1);
  return NULL;
}
int64_t t_elsewhere(int64_t (*fn)(int64_t)) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, call_it, (void *)fn) != 0) return -1;
  pthread_join(thread, NULL);
  return 1;
}
int64_t t_list_meanwhile(const uint8_t *bytes, int64_t count, void (*fn)(void)) {
  fn();
  return t_sum_bytes(bytes, count);
}

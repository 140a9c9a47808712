#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  double x, y, z;
} Vec;

static Vec add(Vec a, Vec b) {
  return (Vec){a.x + b.x, a.y + b.y, a.z + b.z};
}
static Vec sub(Vec a, Vec b) {
  return (Vec){a.x - b.x, a.y - b.y, a.z - b.z};
}
static Vec scale(Vec a, double k) {
  return (Vec){a.x * k, a.y * k, a.z * k};
}
static double dot(Vec a, Vec b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
static Vec unit(Vec a) {
  return scale(a, 1 / sqrt(dot(a, a)));
}

typedef struct Shape Shape;
struct Shape {
  double (*hit)(const Shape *self, Vec origin, Vec direction); /* distance, or -1 */
  Vec (*normal)(const Shape *self, Vec point);
  double (*shade)(const Shape *self, Vec point);
  Vec center;
  double radius, mirror, colour;
};

static double sphere_hit(const Shape *s, Vec o, Vec d) {
  Vec oc = sub(o, s->center);
  double b = dot(oc, d), c = dot(oc, oc) - s->radius * s->radius, disc = b * b - c;
  if (disc < 0) return -1;
  double root = sqrt(disc), t = -b - root;
  if (t > 0.001) return t;
  t = -b + root;
  return t > 0.001 ? t : -1;
}
static Vec sphere_normal(const Shape *s, Vec p) {
  return scale(sub(p, s->center), 1 / s->radius);
}
static double plain(const Shape *s, Vec p) {
  (void)p;
  return s->colour;
}

static double floor_hit(const Shape *s, Vec o, Vec d) {
  if (d.y > -0.0001 && d.y < 0.0001) return -1;
  double t = (s->center.y - o.y) / d.y;
  return t > 0.001 ? t : -1;
}
static Vec floor_normal(const Shape *s, Vec p) {
  (void)s, (void)p;
  return (Vec){0, 1, 0};
}
static double checks(const Shape *s, Vec p) {
  double cell = floor(p.x) + floor(p.z);
  return cell / 2 == floor(cell / 2) ? s->colour : s->colour * 0.4;
}

static Shape shapes[40];
static int shape_count;
static const Vec light = {5, 9, -6};

static double trace(Vec o, Vec d, int depth) {
  const Shape *best = NULL;
  double nearest = 1e9;
  for (int i = 0; i < shape_count; i++) {
    double t = shapes[i].hit(&shapes[i], o, d);
    if (t > 0 && t < nearest) {
      nearest = t;
      best = &shapes[i];
    }
  }
  if (!best) return 0.2 + 0.3 * (d.y + 1) / 2;
  Vec p = add(o, scale(d, nearest)), n = best->normal(best, p), to = unit(sub(light, p));
  double bright = 0.1, lit = dot(n, to);
  if (lit > 0) {
    int dark = 0;
    for (int i = 0; i < shape_count && !dark; i++) dark = shapes[i].hit(&shapes[i], p, to) > 0;
    if (!dark) bright += lit * 0.9;
  }
  double value = bright * best->shade(best, p);
  if (best->mirror > 0 && depth < 3) {
    Vec r = sub(d, scale(n, 2 * dot(d, n)));
    value = value * (1 - best->mirror) + trace(p, r, depth + 1) * best->mirror;
  }
  return value;
}

int main(void) {
  int seed = 42, width = 1200, height = 900;
  shapes[shape_count++] = (Shape){floor_hit, floor_normal, checks, {0, -1, 0}, 0, 0.2, 0.9};
  for (int i = 0; i < 12; i++) {
    double v[4];
    for (int k = 0; k < 4; k++) {
      seed = (seed * 3877 + 29573) % 139968;
      v[k] = seed / 139968.0;
    }
    shapes[shape_count++] = (Shape){
        sphere_hit,       sphere_normal,        plain,           {v[0] * 8 - 4, v[1] * 3, v[2] * 6},
        0.3 + v[3] * 0.7, i % 3 == 0 ? 0.5 : 0, 0.4 + v[3] * 0.6};
  }
  long sum = 0;
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < width; x++) {
      Vec d = unit((Vec){(x - width / 2) / (double)height, (height / 2 - y) / (double)height, 1});
      double value = trace((Vec){0, 1, -6}, d, 0);
      int pixel = (int)(value * 255);
      sum = (sum * 31 + (pixel > 255 ? 255 : pixel)) % 1000003;
    }
    if (y % 225 == 224) printf("%ld\n", sum);
  }
}

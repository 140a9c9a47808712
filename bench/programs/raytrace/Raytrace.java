import java.util.ArrayList;

public class Raytrace {
  record Vec(double x, double y, double z) {
    Vec add(Vec o) { return new Vec(x + o.x, y + o.y, z + o.z); }

    Vec sub(Vec o) { return new Vec(x - o.x, y - o.y, z - o.z); }

    Vec scale(double k) { return new Vec(x * k, y * k, z * k); }

    double dot(Vec o) { return x * o.x + y * o.y + z * o.z; }

    Vec unit() { return scale(1 / Math.sqrt(dot(this))); }
  }

  interface Shape {
    double hit(Vec origin, Vec direction);

    Vec normal(Vec point);

    double shade(Vec point);

    double mirror();
  }

  record Sphere(Vec center, double radius, double mirror, double colour) implements Shape {
    public double hit(Vec o, Vec d) {
      Vec oc = o.sub(center);
      double b = oc.dot(d), disc = b * b - (oc.dot(oc) - radius * radius);
      if (disc < 0) return -1;
      double root = Math.sqrt(disc), near = -b - root;
      if (near > 0.001) return near;
      double far = -b + root;
      return far > 0.001 ? far : -1;
    }

    public Vec normal(Vec p) { return p.sub(center).scale(1 / radius); }

    public double shade(Vec p) { return colour; }
  }

  record Floor(double height, double mirror, double colour) implements Shape {
    public double hit(Vec o, Vec d) {
      if (d.y > -0.0001 && d.y < 0.0001) return -1;
      double t = (height - o.y) / d.y;
      return t > 0.001 ? t : -1;
    }

    public Vec normal(Vec p) { return new Vec(0, 1, 0); }

    public double shade(Vec p) {
      double cell = Math.floor(p.x) + Math.floor(p.z);
      return cell / 2 == Math.floor(cell / 2) ? colour : colour * 0.4;
    }
  }

  static final ArrayList<Shape> shapes = new ArrayList<>();
  static final Vec light = new Vec(5, 9, -6);

  static double trace(Vec o, Vec d, int depth) {
    Shape best = null;
    double nearest = 1e9;
    for (Shape shape : shapes) {
      double t = shape.hit(o, d);
      if (t > 0 && t < nearest) {
        nearest = t;
        best = shape;
      }
    }
    if (best == null) return 0.2 + 0.3 * (d.y + 1) / 2;
    Vec p = o.add(d.scale(nearest)), n = best.normal(p), to = light.sub(p).unit();
    double lit = n.dot(to), bright = 0.1;
    if (lit > 0) {
      boolean dark = false;
      for (Shape shape : shapes) {
        if (shape.hit(p, to) > 0) {
          dark = true;
          break;
        }
      }
      if (!dark) bright += lit * 0.9;
    }
    double value = bright * best.shade(p), mirror = best.mirror();
    if (mirror > 0 && depth < 3) {
      Vec r = d.sub(n.scale(2 * d.dot(n)));
      return value * (1 - mirror) + trace(p, r, depth + 1) * mirror;
    }
    return value;
  }

  static int seed = 42;

  static double draw() {
    seed = (seed * 3877 + 29573) % 139968;
    return seed / 139968.0;
  }

  public static void main(String[] args) {
    int width = 1200, height = 900;
    shapes.add(new Floor(-1, 0.2, 0.9));
    for (int i = 0; i < 12; i++) {
      double x = draw(), y = draw(), z = draw(), w = draw();
      shapes.add(new Sphere(new Vec(x * 8 - 4, y * 3, z * 6), 0.3 + w * 0.7,
          i % 3 == 0 ? 0.5 : 0, 0.4 + w * 0.6));
    }
    long sum = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        Vec d = new Vec((x - width / 2) / (double) height, (height / 2 - y) / (double) height, 1).unit();
        int pixel = (int) (trace(new Vec(0, 1, -6), d, 0) * 255);
        sum = (sum * 31 + Math.min(pixel, 255)) % 1000003;
      }
      if (y % 225 == 224) System.out.println(sum);
    }
  }
}

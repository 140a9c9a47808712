class Vec {
  constructor(x, y, z) {
    this.x = x;
    this.y = y;
    this.z = z;
  }
  add(o) { return new Vec(this.x + o.x, this.y + o.y, this.z + o.z); }
  sub(o) { return new Vec(this.x - o.x, this.y - o.y, this.z - o.z); }
  scale(k) { return new Vec(this.x * k, this.y * k, this.z * k); }
  dot(o) { return this.x * o.x + this.y * o.y + this.z * o.z; }
  unit() { return this.scale(1 / Math.sqrt(this.dot(this))); }
}

class Sphere {
  constructor(center, radius, mirror, colour) {
    this.center = center;
    this.radius = radius;
    this.mirror = mirror;
    this.colour = colour;
  }
  hit(o, d) {
    const oc = o.sub(this.center), b = oc.dot(d);
    const disc = b * b - (oc.dot(oc) - this.radius * this.radius);
    if (disc < 0) return -1;
    const root = Math.sqrt(disc), near = -b - root;
    if (near > 0.001) return near;
    const far = -b + root;
    return far > 0.001 ? far : -1;
  }
  normal(p) { return p.sub(this.center).scale(1 / this.radius); }
  shade(p) { return this.colour; }
}

class Floor {
  constructor(height, mirror, colour) {
    this.height = height;
    this.mirror = mirror;
    this.colour = colour;
  }
  hit(o, d) {
    if (d.y > -0.0001 && d.y < 0.0001) return -1;
    const t = (this.height - o.y) / d.y;
    return t > 0.001 ? t : -1;
  }
  normal(p) { return new Vec(0, 1, 0); }
  shade(p) {
    const cell = Math.floor(p.x) + Math.floor(p.z);
    return cell / 2 === Math.floor(cell / 2) ? this.colour : this.colour * 0.4;
  }
}

const shapes = [], light = new Vec(5, 9, -6);

function trace(o, d, depth) {
  let best = null, nearest = 1e9;
  for (const shape of shapes) {
    const t = shape.hit(o, d);
    if (t > 0 && t < nearest) {
      nearest = t;
      best = shape;
    }
  }
  if (best === null) return 0.2 + 0.3 * (d.y + 1) / 2;
  const p = o.add(d.scale(nearest)), n = best.normal(p), to = light.sub(p).unit(), lit = n.dot(to);
  let bright = 0.1;
  if (lit > 0) {
    let dark = false;
    for (const shape of shapes) {
      if (shape.hit(p, to) > 0) {
        dark = true;
        break;
      }
    }
    if (!dark) bright += lit * 0.9;
  }
  const value = bright * best.shade(p);
  if (best.mirror > 0 && depth < 3) {
    const r = d.sub(n.scale(2 * d.dot(n)));
    return value * (1 - best.mirror) + trace(p, r, depth + 1) * best.mirror;
  }
  return value;
}

const width = 1200, height = 900;
let seed = 42;
function draw() {
  seed = (seed * 3877 + 29573) % 139968;
  return seed / 139968;
}

shapes.push(new Floor(-1, 0.2, 0.9));
for (let i = 0; i < 12; i++) {
  const x = draw(), y = draw(), z = draw(), w = draw();
  shapes.push(new Sphere(new Vec(x * 8 - 4, y * 3, z * 6), 0.3 + w * 0.7, i % 3 === 0 ? 0.5 : 0,
    0.4 + w * 0.6));
}
let sum = 0;
for (let y = 0; y < height; y++) {
  for (let x = 0; x < width; x++) {
    const d = new Vec((x - width / 2) / height, (height / 2 - y) / height, 1).unit();
    const pixel = Math.floor(trace(new Vec(0, 1, -6), d, 0) * 255);
    sum = (sum * 31 + Math.min(pixel, 255)) % 1000003;
  }
  if (y % 225 === 224) console.log(String(sum));
}

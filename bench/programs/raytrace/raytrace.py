from math import floor, sqrt


class Vec:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, o):
        return Vec(self.x + o.x, self.y + o.y, self.z + o.z)

    def __sub__(self, o):
        return Vec(self.x - o.x, self.y - o.y, self.z - o.z)

    def __mul__(self, k):
        return Vec(self.x * k, self.y * k, self.z * k)

    def dot(self, o):
        return self.x * o.x + self.y * o.y + self.z * o.z

    def unit(self):
        return self * (1 / sqrt(self.dot(self)))


class Sphere:
    def __init__(self, center, radius, mirror, colour):
        self.center = center
        self.radius = radius
        self.mirror = mirror
        self.colour = colour

    def hit(self, o, d):
        oc = o - self.center
        b = oc.dot(d)
        disc = b * b - (oc.dot(oc) - self.radius * self.radius)
        if disc < 0:
            return -1
        root = sqrt(disc)
        near = -b - root
        if near > 0.001:
            return near
        far = -b + root
        return far if far > 0.001 else -1

    def normal(self, p):
        return (p - self.center) * (1 / self.radius)

    def shade(self, p):
        return self.colour


class Floor:
    def __init__(self, height, mirror, colour):
        self.height = height
        self.mirror = mirror
        self.colour = colour

    def hit(self, o, d):
        if -0.0001 < d.y < 0.0001:
            return -1
        t = (self.height - o.y) / d.y
        return t if t > 0.001 else -1

    def normal(self, p):
        return Vec(0, 1, 0)

    def shade(self, p):
        cell = floor(p.x) + floor(p.z)
        return self.colour if cell / 2 == floor(cell / 2) else self.colour * 0.4


shapes, light = [], Vec(5, 9, -6)


def trace(o, d, depth):
    best, nearest = None, 1e9
    for shape in shapes:
        t = shape.hit(o, d)
        if 0 < t < nearest:
            nearest = t
            best = shape
    if best is None:
        return 0.2 + 0.3 * (d.y + 1) / 2
    p = o + d * nearest
    n, to = best.normal(p), (light - p).unit()
    lit, bright = n.dot(to), 0.1
    if lit > 0:
        for shape in shapes:
            if shape.hit(p, to) > 0:
                break
        else:
            bright += lit * 0.9
    value = bright * best.shade(p)
    if best.mirror > 0 and depth < 3:
        r = d - n * (2 * d.dot(n))
        return value * (1 - best.mirror) + trace(p, r, depth + 1) * best.mirror
    return value


width, height, seed = 1200, 900, 42


def draw():
    global seed
    seed = (seed * 3877 + 29573) % 139968
    return seed / 139968


shapes.append(Floor(-1, 0.2, 0.9))
for i in range(12):
    x, y, z, w = draw(), draw(), draw(), draw()
    shapes.append(Sphere(Vec(x * 8 - 4, y * 3, z * 6), 0.3 + w * 0.7, 0.5 if i % 3 == 0 else 0,
                         0.4 + w * 0.6))
total = 0
for y in range(height):
    for x in range(width):
        d = Vec((x - width / 2) / height, (height / 2 - y) / height, 1).unit()
        pixel = int(trace(Vec(0, 1, -6), d, 0) * 255)
        total = (total * 31 + min(pixel, 255)) % 1000003
    if y % 225 == 224:
        print(total)

local sqrt, floor = math.sqrt, math.floor

local function vec(x, y, z) return { x = x, y = y, z = z } end
local function add(a, b) return vec(a.x + b.x, a.y + b.y, a.z + b.z) end
local function sub(a, b) return vec(a.x - b.x, a.y - b.y, a.z - b.z) end
local function scale(a, k) return vec(a.x * k, a.y * k, a.z * k) end
local function dot(a, b) return a.x * b.x + a.y * b.y + a.z * b.z end
local function unit(a) return scale(a, 1 / sqrt(dot(a, a))) end

local Sphere = {}
Sphere.__index = Sphere
function Sphere:hit(o, d)
  local oc = sub(o, self.center)
  local b = dot(oc, d)
  local disc = b * b - (dot(oc, oc) - self.radius * self.radius)
  if disc < 0 then return -1 end
  local root = sqrt(disc)
  local near = -b - root
  if near > 0.001 then return near end
  local far = -b + root
  return far > 0.001 and far or -1
end
function Sphere:normal(p) return scale(sub(p, self.center), 1 / self.radius) end
function Sphere:shade(p) return self.colour end

local Floor = {}
Floor.__index = Floor
function Floor:hit(o, d)
  if d.y > -0.0001 and d.y < 0.0001 then return -1 end
  local t = (self.height - o.y) / d.y
  return t > 0.001 and t or -1
end
function Floor:normal(p) return vec(0, 1, 0) end
function Floor:shade(p)
  local cell = floor(p.x) + floor(p.z)
  return cell / 2 == floor(cell / 2) and self.colour or self.colour * 0.4
end

local shapes, light = {}, vec(5, 9, -6)

local function trace(o, d, depth)
  local best, nearest = nil, 1e9
  for i = 1, #shapes do
    local t = shapes[i]:hit(o, d)
    if t > 0 and t < nearest then
      nearest = t
      best = shapes[i]
    end
  end
  if not best then return 0.2 + 0.3 * (d.y + 1) / 2 end
  local p = add(o, scale(d, nearest))
  local n, to = best:normal(p), unit(sub(light, p))
  local lit, bright = dot(n, to), 0.1
  if lit > 0 then
    local dark = false
    for i = 1, #shapes do
      if shapes[i]:hit(p, to) > 0 then
        dark = true
        break
      end
    end
    if not dark then bright = bright + lit * 0.9 end
  end
  local value = bright * best:shade(p)
  if best.mirror > 0 and depth < 3 then
    local r = sub(d, scale(n, 2 * dot(d, n)))
    return value * (1 - best.mirror) + trace(p, r, depth + 1) * best.mirror
  end
  return value
end

local width, height, seed = 1200, 900, 42
local function draw()
  seed = (seed * 3877 + 29573) % 139968
  return seed / 139968
end

shapes[1] = setmetatable({ height = -1, mirror = 0.2, colour = 0.9 }, Floor)
for i = 0, 11 do
  local x, y, z, w = draw(), draw(), draw(), draw()
  shapes[#shapes + 1] = setmetatable({
    center = vec(x * 8 - 4, y * 3, z * 6), radius = 0.3 + w * 0.7,
    mirror = i % 3 == 0 and 0.5 or 0, colour = 0.4 + w * 0.6 }, Sphere)
end
local sum = 0
for y = 0, height - 1 do
  for x = 0, width - 1 do
    local d = unit(vec((x - width / 2) / height, (height / 2 - y) / height, 1))
    local pixel = floor(trace(vec(0, 1, -6), d, 0) * 255)
    if pixel > 255 then pixel = 255 end
    sum = (sum * 31 + pixel) % 1000003
  end
  if y % 225 == 224 then print(string.format("%d", sum)) end
end

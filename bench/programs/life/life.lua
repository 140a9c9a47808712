local W, H = 256, 256

local function step(from, to)
  for y = 0, H - 1 do
    local up, mid, down = (y + H - 1) % H * W, y * W, (y + 1) % H * W
    for x = 0, W - 1 do
      local l, r = (x + W - 1) % W, (x + 1) % W
      local n = from[up + l] + from[up + x] + from[up + r] + from[mid + l] + from[mid + r] +
                from[down + l] + from[down + x] + from[down + r]
      to[mid + x] = (n == 3 or (n == 2 and from[mid + x] == 1)) and 1 or 0
    end
  end
end

local seed, from, to = 42, {}, {}
for i = 0, W * H - 1 do
  seed = (seed * 3877 + 29573) % 139968
  from[i] = seed < 46656 and 1 or 0
  to[i] = 0
end
for g = 1, 1200 do
  step(from, to)
  from, to = to, from
  if g % 300 == 0 then
    local count = 0
    for i = 0, W * H - 1 do count = count + from[i] end
    print(g .. " " .. count)
  end
end

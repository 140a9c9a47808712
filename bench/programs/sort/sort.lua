local floor = math.floor

local function merge_sort(xs, space, lo, hi, cmp)
  if hi - lo < 2 then return end
  local mid = floor((lo + hi) / 2)
  merge_sort(xs, space, lo, mid, cmp)
  merge_sort(xs, space, mid, hi, cmp)
  for i = lo, hi - 1 do space[i] = xs[i] end
  local i, j = lo, mid
  for k = lo, hi - 1 do
    if j >= hi or (i < mid and cmp(space[i], space[j]) <= 0) then
      xs[k] = space[i]
      i = i + 1
    else
      xs[k] = space[j]
      j = j + 1
    end
  end
end

local function checksum(xs, n)
  local sum = 0
  for i = 0, n - 1 do sum = (sum * 31 + xs[i].id) % 1000003 end
  return sum
end

local n, seed, xs, space = 400000, 42, {}, {}
for i = 0, n - 1 do
  seed = (seed * 3877 + 29573) % 139968
  local key = seed % 50000
  seed = (seed * 3877 + 29573) % 139968
  xs[i] = { id = i, key = key, score = seed / 139968 }
end
local orders = {
  [0] = function(a, b) return a.key - b.key end,
  function(a, b)
    if a.score < b.score then return -1 elseif a.score > b.score then return 1 else return 0 end
  end,
  function(a, b)
    local k = a.key % 16 - b.key % 16
    if k ~= 0 then return k end
    return b.id - a.id
  end,
}
for round = 0, 5 do
  merge_sort(xs, space, 0, n, orders[round % 3])
  print(round .. " " .. string.format("%d", checksum(xs, n)))
end

local wrap, yield, floor = coroutine.wrap, coroutine.yield, math.floor

local function naturals(start)
  return wrap(function()
    local i = start
    while true do
      yield(i)
      i = i + 1
    end
  end)
end
local function filter(from, test)
  return function()
    while true do
      local value = from()
      if value == nil or test(value) then return value end
    end
  end
end
local function map(from, f)
  return function()
    local value = from()
    if value ~= nil then return f(value) end
  end
end
local function take(from, n)
  return function()
    if n == 0 then return nil end
    n = n - 1
    return from()
  end
end

local function build(lo, hi)
  if lo > hi then return nil end
  local key = floor((lo + hi) / 2)
  return { key = key, left = build(lo, key - 1), right = build(key + 1, hi) }
end
local function walk(node)
  if not node then return end
  walk(node.left)
  yield(node.key)
  walk(node.right)
end
local function keys(node)
  return wrap(function() walk(node) end)
end

local total = 0
for round = 0, 119 do
  local values = take(map(filter(naturals(round), function(n) return n % 3 ~= 0 end),
                          function(n) return n * n % 1009 end), 300000)
  for value in values do total = (total * 7 + value) % 1000003 end
end
print(string.format("%d", total))
local tree = build(1, 100000)
for _ = 1, 120 do
  for key in keys(tree) do total = (total * 7 + key) % 1000003 end
end
print(string.format("%d", total))

local SIZE = 300
local CELLS = SIZE * SIZE
local floor = math.floor

local Queue = {}
Queue.__index = Queue

function Queue.new(less)
  return setmetatable({ items = {}, count = 0, less = less }, Queue)
end

function Queue:push(x)
  local items, less, i = self.items, self.less, self.count
  items[i] = x
  self.count = i + 1
  while i > 0 do
    local parent = floor((i - 1) / 2)
    if not less(items[i], items[parent]) then return end
    items[i], items[parent] = items[parent], items[i]
    i = parent
  end
end

function Queue:pop()
  local items, less = self.items, self.less
  local top, count = items[0], self.count - 1
  self.count = count
  items[0] = items[count]
  items[count] = nil
  local i = 0
  while true do
    local m, l, r = i, 2 * i + 1, 2 * i + 2
    if l < count and less(items[l], items[m]) then m = l end
    if r < count and less(items[r], items[m]) then m = r end
    if m == i then return top end
    items[i], items[m] = items[m], items[i]
    i = m
  end
end

local cost, distance = {}, {}

local function relax(queue, to, d)
  local new = d + cost[to]
  if new < distance[to] then
    distance[to] = new
    queue:push({ distance = new, node = to })
  end
end

local function run(source)
  local queue = Queue.new(function(a, b) return a.distance < b.distance end)
  for i = 0, CELLS - 1 do distance[i] = 1000000000 end
  distance[source] = 0
  queue:push({ distance = 0, node = source })
  while queue.count > 0 do
    local e = queue:pop()
    local d, node = e.distance, e.node
    if d <= distance[node] then
      local x, y = node % SIZE, floor(node / SIZE)
      if x > 0 then relax(queue, node - 1, d) end
      if x < SIZE - 1 then relax(queue, node + 1, d) end
      if y > 0 then relax(queue, node - SIZE, d) end
      if y < SIZE - 1 then relax(queue, node + SIZE, d) end
    end
  end
  local sum = 0
  for i = 0, CELLS - 1 do sum = sum + distance[i] end
  return sum
end

local seed = 42
for i = 0, CELLS - 1 do
  seed = (seed * 3877 + 29573) % 139968
  cost[i] = 1 + seed % 100
end
for k = 0, 35 do print(string.format("%d", run(k * 7717 % CELLS))) end

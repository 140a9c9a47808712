local seed = 42
local function draw(n)
  seed = (seed * 3877 + 29573) % 139968
  return math.floor(seed * n / 139968)
end

local names = { [0] = "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta" }
local length, total, hash, found, changed = 0, 0, 0, 0, 0
for _ = 1, 160 do
  local out = {}
  for i = 1, 20000 do
    local name = names[draw(8)]
    out[i] = name .. "=" .. draw(1000) .. ";"
  end
  local text = table.concat(out)
  length = length + #text
  local swapped = text:gsub("eta=", "ETA:")
  changed = changed + #swapped
  for part in swapped:gmatch("[^;]+") do
    local equal = part:find("=", 1, true)
    if not equal then
      local low = part:lower()
      for i = 1, #low do hash = (hash * 31 + low:byte(i)) % 1000003 end
    else
      local key = part:sub(1, equal - 1):upper()
      if key < "DELTA" then found = found + 1 end
      total = total + tonumber(part:sub(equal + 1))
      hash = (hash * 31 + key:byte(1) + #key) % 1000003
    end
  end
end
print(string.format("%d %d %d %d %d", length, changed, total, found, hash))

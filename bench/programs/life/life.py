W = H = 256


def step(old, new):
    for y in range(H):
        up, mid, down = (y + H - 1) % H * W, y * W, (y + 1) % H * W
        for x in range(W):
            l, r = (x + W - 1) % W, (x + 1) % W
            n = (old[up + l] + old[up + x] + old[up + r] + old[mid + l] + old[mid + r] +
                 old[down + l] + old[down + x] + old[down + r])
            new[mid + x] = 1 if n == 3 or (n == 2 and old[mid + x] == 1) else 0


seed, old, new = 42, bytearray(W * H), bytearray(W * H)
for i in range(W * H):
    seed = (seed * 3877 + 29573) % 139968
    old[i] = 1 if seed < 46656 else 0
for g in range(1, 1201):
    step(old, new)
    old, new = new, old
    if g % 300 == 0:
        print(g, sum(old))

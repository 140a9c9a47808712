from itertools import islice


def naturals(start):
    i = start
    while True:
        yield i
        i += 1


def keys(node):
    if node is None:
        return
    yield from keys(node[1])
    yield node[0]
    yield from keys(node[2])


def build(lo, hi):
    if lo > hi:
        return None
    key = (lo + hi) // 2
    return key, build(lo, key - 1), build(key + 1, hi)


total = 0
for turn in range(120):
    kept = (n for n in naturals(turn) if n % 3 != 0)
    for value in islice((n * n % 1009 for n in kept), 300000):
        total = (total * 7 + value) % 1000003
print(total)
tree = build(1, 100000)
for turn in range(120):
    for key in keys(tree):
        total = (total * 7 + key) % 1000003
print(total)

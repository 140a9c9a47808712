WINDOW, MIN_MATCH, MAX_MATCH, CHAIN, HASH_SIZE = 32768, 4, 250, 64, 16384

seed = 42
matches = 0


def draw(n):
    global seed
    seed = (seed * 3877 + 29573) % 139968
    return seed % n


def make_text(size):
    words = []
    for _ in range(500):
        length = 2 + draw(9)
        words.append(bytes(97 + draw(26) for _ in range(length)))
    out = bytearray()
    while len(out) < size:
        out += words[draw(500) * draw(500) // 500]
        out.append(10 if draw(12) == 0 else 32)
    return out


def hash_at(s, i):
    return ((s[i] * 33 + s[i + 1]) * 33 + s[i + 2]) * 33 % HASH_SIZE


def compress(s):
    global matches
    out, size = bytearray(), len(s)
    head, prev = [-1] * HASH_SIZE, [0] * size
    i = 0
    while i < size:
        best = start = 0
        if i + MIN_MATCH <= size:
            limit, tries = min(size - i, MAX_MATCH), CHAIN
            at = head[hash_at(s, i)]
            while at >= 0 and i - at < WINDOW and tries > 0:
                n = 0
                while n < limit and s[at + n] == s[i + n]:
                    n += 1
                if n > best:
                    best, start = n, at
                at = prev[at]
                tries -= 1
        count = 1
        if best >= MIN_MATCH:
            distance = i - start
            out += bytes((255, best, distance % 256, distance // 256))
            count = best
            matches += 1
        else:
            out.append(s[i])
        end = i + count
        while i < end:
            if i + MIN_MATCH <= size:
                h = hash_at(s, i)
                prev[i] = head[h]
                head[h] = i
            i += 1
    return out


def expand(s):
    out, i = bytearray(), 0
    while i < len(s):
        if s[i] != 255:
            out.append(s[i])
            i += 1
            continue
        start = len(out) - (s[i + 2] + s[i + 3] * 256)
        for k in range(s[i + 1]):
            out.append(out[start + k])
        i += 4
    return out


text = make_text(6000000)
packed = compress(text)
again = expand(packed)
total = 0
for b in packed:
    total = (total * 31 + b) % 1000003
print(len(text), len(packed), matches, total)
print("same" if text == again else "different")

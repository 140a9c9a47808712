const WINDOW = 32768, MIN_MATCH = 4, MAX_MATCH = 250, CHAIN = 64, HASH_SIZE = 16384;

class Bytes {
  constructor() {
    this.data = new Uint8Array(1024);
    this.size = 0;
  }
  push(byte) {
    if (this.size === this.data.length) {
      const grown = new Uint8Array(this.size * 2);
      grown.set(this.data);
      this.data = grown;
    }
    this.data[this.size++] = byte;
  }
}

let seed = 42;
function draw(n) {
  seed = (seed * 3877 + 29573) % 139968;
  return seed % n;
}

function makeText(size) {
  const words = [];
  for (let w = 0; w < 500; w++) {
    const word = [];
    for (let i = 2 + draw(9); i > 0; i--) word.push(97 + draw(26));
    words.push(word);
  }
  const out = new Bytes();
  while (out.size < size) {
    const word = words[Math.floor(draw(500) * draw(500) / 500)];
    for (let i = 0; i < word.length; i++) out.push(word[i]);
    out.push(draw(12) === 0 ? 10 : 32);
  }
  return out;
}

function hashAt(s, i) {
  return ((s[i] * 33 + s[i + 1]) * 33 + s[i + 2]) * 33 % HASH_SIZE;
}

let matches = 0;

function compress(input) {
  const out = new Bytes(), s = input.data, size = input.size;
  const head = new Int32Array(HASH_SIZE).fill(-1), prev = new Int32Array(size);
  let i = 0;
  while (i < size) {
    let best = 0, from = 0;
    if (i + MIN_MATCH <= size) {
      const limit = Math.min(size - i, MAX_MATCH);
      let tries = CHAIN, at = head[hashAt(s, i)];
      while (at >= 0 && i - at < WINDOW && tries > 0) {
        let n = 0;
        while (n < limit && s[at + n] === s[i + n]) n++;
        if (n > best) {
          best = n;
          from = at;
        }
        at = prev[at];
        tries--;
      }
    }
    let count = 1;
    if (best >= MIN_MATCH) {
      const distance = i - from;
      out.push(255);
      out.push(best);
      out.push(distance % 256);
      out.push(Math.floor(distance / 256));
      count = best;
      matches++;
    } else {
      out.push(s[i]);
    }
    for (const end = i + count; i < end; i++) {
      if (i + MIN_MATCH > size) continue;
      const h = hashAt(s, i);
      prev[i] = head[h];
      head[h] = i;
    }
  }
  return out;
}

function expand(input) {
  const out = new Bytes(), s = input.data;
  let i = 0;
  while (i < input.size) {
    if (s[i] !== 255) {
      out.push(s[i++]);
      continue;
    }
    const length = s[i + 1], from = out.size - (s[i + 2] + s[i + 3] * 256);
    for (let k = 0; k < length; k++) out.push(out.data[from + k]);
    i += 4;
  }
  return out;
}

const text = makeText(6000000), packed = compress(text), again = expand(packed);
let same = text.size === again.size;
for (let i = 0; i < text.size; i++) same = same && text.data[i] === again.data[i];
let sum = 0;
for (let i = 0; i < packed.size; i++) sum = (sum * 31 + packed.data[i]) % 1000003;
console.log(`${text.size} ${packed.size} ${matches} ${sum}`);
console.log(same ? "same" : "different");

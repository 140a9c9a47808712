import java.util.Arrays;

public class Lz77 {
  static final int WINDOW = 32768, MIN_MATCH = 4, MAX_MATCH = 250, CHAIN = 64, HASH_SIZE = 16384;

  static class Bytes {
    byte[] data = new byte[1024];
    int size;

    void push(int b) {
      if (size == data.length) data = Arrays.copyOf(data, size * 2);
      data[size++] = (byte) b;
    }

    int at(int i) {
      return data[i] & 255;
    }
  }

  static int seed = 42, matches;

  static int draw(int n) {
    seed = (seed * 3877 + 29573) % 139968;
    return seed % n;
  }

  static Bytes makeText(int size) {
    byte[][] words = new byte[500][];
    for (int w = 0; w < 500; w++) {
      words[w] = new byte[2 + draw(9)];
      for (int i = 0; i < words[w].length; i++) words[w][i] = (byte) (97 + draw(26));
    }
    Bytes out = new Bytes();
    while (out.size < size) {
      for (byte b : words[draw(500) * draw(500) / 500]) out.push(b);
      out.push(draw(12) == 0 ? 10 : 32);
    }
    return out;
  }

  static int hashAt(Bytes s, int i) {
    return ((s.at(i) * 33 + s.at(i + 1)) * 33 + s.at(i + 2)) * 33 % HASH_SIZE;
  }

  static Bytes compress(Bytes s) {
    Bytes out = new Bytes();
    int[] head = new int[HASH_SIZE], prev = new int[s.size];
    Arrays.fill(head, -1);
    int i = 0;
    while (i < s.size) {
      int best = 0, from = 0;
      if (i + MIN_MATCH <= s.size) {
        int limit = Math.min(s.size - i, MAX_MATCH), tries = CHAIN, at = head[hashAt(s, i)];
        while (at >= 0 && i - at < WINDOW && tries > 0) {
          int n = 0;
          while (n < limit && s.data[at + n] == s.data[i + n]) n++;
          if (n > best) {
            best = n;
            from = at;
          }
          at = prev[at];
          tries--;
        }
      }
      int count = 1;
      if (best >= MIN_MATCH) {
        int distance = i - from;
        out.push(255);
        out.push(best);
        out.push(distance % 256);
        out.push(distance / 256);
        count = best;
        matches++;
      } else {
        out.push(s.data[i]);
      }
      for (int end = i + count; i < end; i++) {
        if (i + MIN_MATCH > s.size) continue;
        int h = hashAt(s, i);
        prev[i] = head[h];
        head[h] = i;
      }
    }
    return out;
  }

  static Bytes expand(Bytes s) {
    Bytes out = new Bytes();
    int i = 0;
    while (i < s.size) {
      if (s.at(i) != 255) {
        out.push(s.data[i++]);
        continue;
      }
      int length = s.at(i + 1), from = out.size - (s.at(i + 2) + s.at(i + 3) * 256);
      for (int k = 0; k < length; k++) out.push(out.data[from + k]);
      i += 4;
    }
    return out;
  }

  public static void main(String[] args) {
    Bytes text = makeText(6000000), packed = compress(text), again = expand(packed);
    boolean same = text.size == again.size;
    for (int i = 0; same && i < text.size; i++) same = text.data[i] == again.data[i];
    int sum = 0;
    for (int i = 0; i < packed.size; i++) sum = (sum * 31 + packed.at(i)) % 1000003;
    System.out.println(text.size + " " + packed.size + " " + matches + " " + sum);
    System.out.println(same ? "same" : "different");
  }
}

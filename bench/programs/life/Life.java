public class Life {
  static final int W = 256, H = 256;

  static void step(byte[] from, byte[] to) {
    for (int y = 0; y < H; y++) {
      int up = (y + H - 1) % H * W, mid = y * W, down = (y + 1) % H * W;
      for (int x = 0; x < W; x++) {
        int l = (x + W - 1) % W, r = (x + 1) % W;
        int n = from[up + l] + from[up + x] + from[up + r] + from[mid + l] + from[mid + r]
            + from[down + l] + from[down + x] + from[down + r];
        to[mid + x] = (byte) (n == 3 || (n == 2 && from[mid + x] == 1) ? 1 : 0);
      }
    }
  }

  public static void main(String[] args) {
    int seed = 42;
    byte[] from = new byte[W * H], to = new byte[W * H];
    for (int i = 0; i < W * H; i++) {
      seed = (seed * 3877 + 29573) % 139968;
      from[i] = (byte) (seed < 46656 ? 1 : 0);
    }
    for (int g = 1; g <= 1200; g++) {
      step(from, to);
      byte[] t = from;
      from = to;
      to = t;
      if (g % 300 == 0) {
        int count = 0;
        for (byte cell : from) count += cell;
        System.out.println(g + " " + count);
      }
    }
  }
}

// The workloads of workloads.c.
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

public class Bench {
  static final class Node {
    final Node left, right;
    Node(Node left, Node right) { this.left = left; this.right = right; }
  }
  static final class Big { Big a; Small b; Big c, d; long v0, v1, v2; }
  static final class Small { Small next; long x, y; }

  static int randomState = 12345;
  static long nextRandom() {
    randomState ^= randomState << 13;
    randomState ^= randomState >>> 17;
    randomState ^= randomState << 5;
    return randomState & 0xffffffffL;
  }

  static Node buildTree(int depth) {
    if (depth == 0) return new Node(null, null);
    return new Node(buildTree(depth - 1), buildTree(depth - 1));
  }
  static int countNodes(Node node) {
    return node.left == null ? 1 : 1 + countNodes(node.left) + countNodes(node.right);
  }
  static double trees(int limit) {
    long total = countNodes(buildTree(limit + 1));
    Node longlived = buildTree(limit);
    for (int depth = 4; depth <= limit; depth += 4) {
      int rounds = 1 << (limit - depth + 4);
      for (int i = 0; i < rounds; i++) total += countNodes(buildTree(depth));
    }
    return total + countNodes(longlived);
  }

  static long[] latencies = {};
  static int latencyCount;
  static Object kept;
  static Big chain(int length) {
    Big head = null;
    for (int i = 0; i < length; i++) {
      Big link = new Big();
      link.a = head;
      link.v0 = i;
      head = link;
    }
    return head;
  }
  static double churn(int count, long operations) {
    Big[] table = new Big[count];
    kept = table;
    for (int i = 0; i < count; i++) table[i] = chain(4);
    latencies = new long[(int) (operations / 64 + 1)];
    long sum = 0, before = System.nanoTime();
    for (long i = 0; i < operations; i++) {
      Small last = null;
      for (int k = 0; k < 4; k++) {
        Small small = new Small();
        small.next = last;
        small.x = i;
        last = small;
      }
      for (Small s = last; s != null; s = s.next) sum += s.x;
      if (i % 16 == 0) {
        Big made = chain(4);
        table[(int) (nextRandom() % count)] = made;
      }
      if (i % 4 == 1) {
        Small made = new Small();
        table[(int) (nextRandom() % count)].b = made;
      }
      if (i % 64 == 63) {
        long now = System.nanoTime();
        latencies[latencyCount++] = now - before;
        before = now;
      }
    }
    return sum;
  }

  static double smallObjects(long count) {
    Small[] ring = new Small[1024];
    kept = ring;
    long sum = 0;
    for (long i = 0; i < count; i++) {
      Small small = new Small();
      small.x = i;
      small.y = i ^ 5;
      Small old = ring[(int) (i % 1024)];
      if (old != null) sum += old.x;
      ring[(int) (i % 1024)] = small;
    }
    return sum;
  }

  static double floatArrays(int count, int length) {
    double[][] ring = new double[16][];
    kept = ring;
    double sum = 0;
    for (int i = 0; i < count; i++) {
      double[] array = new double[length];
      for (int k = 0; k < length; k++) array[k] = i + k;
      double[] old = ring[i % 16];
      if (old != null) for (int k = 0; k < length; k += 8) sum += old[k];
      ring[i % 16] = array;
    }
    return sum;
  }

  static double strings(int count) {
    String[] ring = new String[4096];
    kept = ring;
    long sum = 0;
    for (int i = 0; i < count; i++) {
      String text = "";
      for (int k = 0; k < 10; k++) text = text + (char) ('a' + ((i + k) & 15)) + "bcdefg,";
      String old = ring[i % 4096];
      if (old != null) sum += old.length() + old.charAt(8);
      ring[i % 4096] = text;
    }
    return sum;
  }

  static double sizes(long liveMb, long operations) {
    int count = (int) (liveMb * 1000000 / 860);
    byte[][] table = new byte[count][];
    kept = table;
    for (long i = 0; i < count + operations; i++) {
      int k = i < count ? (int) i : (int) (nextRandom() % count);
      long r = nextRandom();
      int least = 32 << (int) (r % 7), size = least + (int) ((r >> 8) % least) - 16;
      table[k] = new byte[size];
    }
    return count;
  }

  static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean)
        ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  public static void main(String[] args) throws Exception {
    long a = Long.parseLong(args[1]), b = args.length > 2 ? Long.parseLong(args[2]) : 0;
    long cpu = cpuNanos(), wall = System.nanoTime();
    double result;
    switch (args[0]) {
      case "trees": result = trees((int) a); break;
      case "churn": result = churn((int) a, b); break;
      case "small": result = smallObjects(a); break;
      case "floats": result = floatArrays((int) a, (int) b); break;
      case "strings": result = strings((int) a); break;
      case "sizes": result = sizes(a, b); break;
      default: throw new IllegalArgumentException(args[0]);
    }
    cpu = cpuNanos() - cpu;
    wall = System.nanoTime() - wall;
    double rss = 0;
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM")) rss = Long.parseLong(line.replaceAll("\\D", "")) * 1.024 / 1e3;
    }
    System.out.printf("cpu_ms=%d wall_ms=%d rss_mb=%.1f result=%.0f", cpu / 1000000,
        wall / 1000000, rss, result);
    if (latencyCount > 0) {
      Arrays.sort(latencies, 0, latencyCount);
      System.out.printf(" latency_p50_us=%.1f latency_p99_us=%.1f latency_max_us=%.1f",
          latencies[latencyCount / 2] / 1e3, latencies[(int) (latencyCount * 0.99)] / 1e3,
          latencies[latencyCount - 1] / 1e3);
    }
    System.out.println();
  }
}

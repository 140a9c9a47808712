import java.util.Locale;

public class Strings {
  static int seed = 42;

  static int draw(int n) {
    seed = (seed * 3877 + 29573) % 139968;
    return seed * n / 139968;
  }

  public static void main(String[] args) {
    String[] names = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"};
    long length = 0, total = 0, hash = 0, found = 0, changed = 0;
    for (int round = 0; round < 160; round++) {
      StringBuilder out = new StringBuilder();
      for (int i = 0; i < 20000; i++) {
        String name = names[draw(8)];
        out.append(name).append("=").append(draw(1000)).append(";");
      }
      String text = out.toString();
      length += text.length();
      String swapped = text.replace("eta=", "ETA:");
      changed += swapped.length();
      for (String part : swapped.split(";")) {
        int equal = part.indexOf("=");
        if (equal < 0) {
          String low = part.toLowerCase(Locale.ROOT);
          for (int i = 0; i < low.length(); i++) hash = (hash * 31 + low.charAt(i)) % 1000003;
          continue;
        }
        String key = part.substring(0, equal).toUpperCase(Locale.ROOT);
        if (key.compareTo("DELTA") < 0) found++;
        total += Integer.parseInt(part.substring(equal + 1));
        hash = (hash * 31 + key.charAt(0) + key.length()) % 1000003;
      }
    }
    System.out.println(length + " " + changed + " " + total + " " + found + " " + hash);
  }
}

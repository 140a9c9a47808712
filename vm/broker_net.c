// The broker's addresses.
#include "vm/broker.h"

bool sk_broker_address_check(SkStr scope, SkBuf *error) {
  (void)scope, (void)error;
  return true;
}
bool sk_broker_address_covers(SkStr scope, SkStr inner) {
  return sk_str_eq(scope, inner);
}

// The one place of the virtual machine that knows OpenSSL.
#include "ordain/digest.h"

#include <openssl/evp.h>

#include <cassert>

namespace ordain {

Digest sha256(std::string_view bytes) {
  Digest out{};
  unsigned size = 0;
  [[maybe_unused]] int ok = EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, EVP_sha256(), nullptr);
  assert(ok == 1 && size == out.size());
  return out;
}

std::string to_hex(const Digest& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * digest.size());
  for (uint8_t byte : digest) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace ordain

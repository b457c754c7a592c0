// Computes digests. This is the only file of the virtual machine that uses OpenSSL.
#include "ordain/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cassert>

#include "vm/value/encodings.h"

namespace ordain {

Digest sha256(std::string_view bytes) {
  Digest out{};
  unsigned size = 0;
  [[maybe_unused]] int ok = EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, EVP_sha256(), nullptr);
  assert(ok == 1 && size == out.size());
  return out;
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest out{};
  unsigned size = 0;
  [[maybe_unused]] const unsigned char* made =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
           bytes.size(), out.data(), &size);
  assert(made != nullptr && size == out.size());
  return out;
}

std::string to_hex(const Digest& digest) {
  return hex_of({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace ordain

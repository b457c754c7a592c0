// Computes digests. This is the only file of the virtual machine that uses OpenSSL.
#define OPENSSL_SUPPRESS_DEPRECATED  // see sha256
#include "ordain/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cassert>

#include "vm/value/encodings.h"

namespace ordain {

Digest sha256(std::string_view bytes) {
  // EVP_Digest would look the algorithm up for each digest, and for the first one would also read OpenSSL's
  // configuration and error texts, which takes longer than to compile a small policy.
  Digest out{};
  SHA256_CTX state;
  [[maybe_unused]] const bool done = SHA256_Init(&state) == 1 &&
                                     SHA256_Update(&state, bytes.data(), bytes.size()) == 1 &&
                                     SHA256_Final(out.data(), &state) == 1;
  assert(done);
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

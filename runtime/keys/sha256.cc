// Sha256 uses OpenSSL's low-level compression. The newer interface of OpenSSL 3.0 allocates for
// every message, which costs as much as hashing the short records of a chain; this one does not
// allocate.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "runtime/keys/sha256.h"

#include <openssl/sha.h>

#include <cstdlib>

namespace ordain::detail {
namespace {

/// Stops the process if hashing fails: nothing could go on safely.
void require(int ok) {
  if (ok != 1) std::abort();
}

}  // namespace

struct Sha256::Impl {
  SHA256_CTX context;
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) { require(SHA256_Init(&impl_->context)); }
Sha256::~Sha256() = default;

void Sha256::add(const void* bytes, size_t size) { require(SHA256_Update(&impl_->context, bytes, size)); }

Sha256::Hash Sha256::finish() {
  Hash out;
  require(SHA256_Final(out.data(), &impl_->context));
  require(SHA256_Init(&impl_->context));
  return out;
}

}  // namespace ordain::detail

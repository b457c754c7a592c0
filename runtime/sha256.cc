// Sha256 over OpenSSL's digest, fetched once.
#include "runtime/sha256.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace ordain::detail {
namespace {

/// A crypto library that cannot hash leaves nothing that could go on safely.
void require(int ok) {
  if (ok != 1) std::abort();
}

}  // namespace

struct Sha256::Impl {
  EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  void begin() { require(EVP_DigestInit_ex2(context, algorithm, nullptr)); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  require(impl_->algorithm != nullptr && impl_->context != nullptr);
  impl_->begin();
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(impl_->context);
  EVP_MD_free(impl_->algorithm);
}

void Sha256::add(const void* bytes, size_t size) { require(EVP_DigestUpdate(impl_->context, bytes, size)); }

Sha256::Hash Sha256::finish() {
  Hash out;
  require(EVP_DigestFinal_ex(impl_->context, out.data(), nullptr));
  impl_->begin();
  return out;
}

}  // namespace ordain::detail

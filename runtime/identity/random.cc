// Id128 makes random names. Each thread has a generator of its own, because a system call costs
// microseconds.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "ordain/identity.h"
#include "runtime/identity/fork.h"
#include "vm/value/encodings.h"

namespace ordain {
namespace {

/// Stops the process: without randomness, ids are not unique and nothing may go on.
void require(bool ok) {
  if (!ok) std::abort();
}

/// Runs ChaCha20 under a key from the system. Each stretch of its stream begins with the next key,
/// so an attacker who reads the memory later cannot compute the earlier output. A child process
/// reseeds, so that it does not repeat its parent's output.
class Generator {
 public:
  Generator() : context_(EVP_CIPHER_CTX_new()) { require(context_ != nullptr); }
  ~Generator() {
    EVP_CIPHER_CTX_free(context_);
    OPENSSL_cleanse(stream_, sizeof(stream_));
  }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  void take(uint8_t* out, size_t size) {
    if (generation_ != detail::fork_generation()) seed();
    if (used_ + size > sizeof(stream_)) refill();
    std::memcpy(out, stream_ + used_, size);
    std::memset(stream_ + used_, 0, size);
    used_ += size;
  }

 private:
  // Stretches are long because setting up the cipher for the next one takes as long as a thousand
  // bytes of it.
  static constexpr size_t kKey = 32, kStream = 4096;

  void seed() {
    generation_ = detail::fork_generation();
    for (size_t have = 0; have < kKey;) {
      ssize_t got = getrandom(stream_ + have, kKey - have, 0);
      require(got >= 0 || errno == EINTR);
      if (got > 0) have += static_cast<size_t>(got);
    }
    static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "ChaCha20", nullptr);
    require(cipher != nullptr && EVP_EncryptInit_ex2(context_, cipher, nullptr, nullptr, nullptr) == 1);
    refill();
  }

  void refill() {
    static constexpr uint8_t kNonce[16] = {};
    static constexpr uint8_t kZeros[kStream] = {};
    int made = 0;
    require(EVP_EncryptInit_ex2(context_, nullptr, stream_, kNonce, nullptr) == 1 &&
            EVP_EncryptUpdate(context_, stream_, &made, kZeros, kStream) == 1 && made == static_cast<int>(kStream));
    used_ = kKey;
  }

  EVP_CIPHER_CTX* context_;
  uint8_t stream_[kStream];  ///< the next key, then the bytes to hand out
  size_t used_ = kStream;
  uint32_t generation_ = 0;
};

}  // namespace

Id128 Id128::random() {
  thread_local Generator generator;
  Id128 out;
  generator.take(out.bytes.data(), out.bytes.size());
  return out;
}

std::string Id128::hex() const { return hex_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()}); }

bool Id128::parse(std::string_view hex, Id128* out) { return parse_hex(hex, out->bytes.data(), out->bytes.size()); }

}  // namespace ordain

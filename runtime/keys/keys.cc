// keys.cc implements Ed25519 and HMAC-SHA256 over OpenSSL. If the crypto library fails at an
// operation that cannot fail, the process stops, because nothing could go on safely.
#include "ordain/keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "ordain/digest.h"
#include "runtime/keys/key_file.h"
#include "vm/value/encodings.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

constexpr char kEd25519 = 1;  // algorithm byte of C2SP signed notes
constexpr size_t kMaxName = 128;
constexpr size_t kKeyBytes = 32;
constexpr std::string_view kPrivatePrefix = "PRIVATE+KEY+";
constexpr std::string_view kDigestPrefix = "ordain-digest-key+";

void require(bool ok) {
  if (!ok) std::abort();
}

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Pkey = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

const uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

bool name_fits(std::string_view name) {
  auto printable = [](char c) { return c > 0x20 && c < 0x7F && c != '+'; };
  return !name.empty() && name.size() <= kMaxName && std::all_of(name.begin(), name.end(), printable);
}

/// Splits `name+hash+base64`. `*material` receives the key material without its algorithm byte.
bool split_key(std::string_view text, std::string_view* name, std::string_view* hash, std::string* material) {
  size_t first = text.find('+');
  size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos || second - first != 9) return false;
  *name = text.substr(0, first);
  *hash = text.substr(first + 1, 8);
  if (!name_fits(*name) || !parse_base64(text.substr(second + 1), material)) return false;
  if (material->size() != kKeyBytes + 1 || material->front() != kEd25519) return false;
  material->erase(0, 1);
  return true;
}

std::string with_algorithm(std::string_view bytes) { return std::string(1, kEd25519).append(bytes); }

void wipe(std::string& text) { OPENSSL_cleanse(text.data(), text.size()); }

}  // namespace

// --- public ---

Result<PublicKey> PublicKey::parse(std::string_view text) {
  std::string_view name, hash;
  std::string material;
  if (text.starts_with(kPrivatePrefix)) return Error{"bad_key", "this is a private key; the public one is needed"};
  if (!split_key(text, &name, &hash, &material)) return Error{"bad_key", "not a verifier key: name+hash+base64"};
  PublicKey out;
  out.name_ = name;
  std::memcpy(out.bytes_.data(), material.data(), kKeyBytes);
  if (fmt::format("{:08x}", out.id()) != hash) return Error{"bad_key", "the key does not match its hash"};
  return out;
}

Result<PublicKey> PublicKey::load(const std::string& path) {
  auto text = read_key_text(path);
  if (!text) return text.error();
  auto key = parse(*text);
  if (!key) return Error{key.error().code, path + ": " + key.error().message};
  return key;
}

std::string PublicKey::text() const {
  std::string_view bytes(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  return fmt::format("{}+{:08x}+{}", name_, id(), base64_of(with_algorithm(bytes)));
}

uint32_t PublicKey::id() const {
  std::string_view bytes(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  Digest hash = sha256(name_ + "\n" + with_algorithm(bytes));
  return static_cast<uint32_t>(hash[0]) << 24 | static_cast<uint32_t>(hash[1]) << 16 |
         static_cast<uint32_t>(hash[2]) << 8 | hash[3];
}

bool PublicKey::verify(std::string_view message, const Signature& signature) const {
  Pkey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_.data(), bytes_.size()));
  Context context(EVP_MD_CTX_new());
  if (key == nullptr || context == nullptr) return false;
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes_of(message), message.size()) == 1;
}

// --- private ---

struct PrivateKey::Impl {
  Pkey key;
  PublicKey public_key;
  std::array<uint8_t, kKeyBytes> seed{};
  ~Impl() { OPENSSL_cleanse(seed.data(), seed.size()); }
};

Result<PrivateKey> PrivateKey::from_seed(std::string_view name, std::string_view seed) {
  auto impl = std::make_shared<Impl>();
  std::memcpy(impl->seed.data(), seed.data(), kKeyBytes);
  impl->key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, impl->seed.data(), kKeyBytes));
  size_t size = kKeyBytes;
  if (impl->key == nullptr ||
      EVP_PKEY_get_raw_public_key(impl->key.get(), impl->public_key.bytes_.data(), &size) != 1) {
    return Error{"bad_key", "the crypto library refuses the key"};
  }
  impl->public_key.name_ = name;
  PrivateKey out;
  out.impl_ = std::move(impl);
  return out;
}

Result<PrivateKey> PrivateKey::generate(std::string_view name) {
  if (!name_fits(name)) {
    return Error{"bad_key", "a key's name is printable ASCII without spaces and '+', 1 to 128 bytes"};
  }
  std::string seed(kKeyBytes, '\0');
  require(RAND_priv_bytes(reinterpret_cast<unsigned char*>(seed.data()), kKeyBytes) == 1);
  auto out = from_seed(name, seed);
  wipe(seed);
  return out;
}

Result<PrivateKey> PrivateKey::load(const std::string& path) {
  auto text = read_secret(path);
  if (!text) return text.error();
  std::string_view rest = *text, name, hash;
  std::string seed;
  Result<PrivateKey> out = Error{"bad_key", path + ": not a private key as `ordain keys init` makes it"};
  if (rest.starts_with(kPrivatePrefix) && split_key(rest.substr(kPrivatePrefix.size()), &name, &hash, &seed)) {
    auto key = from_seed(name, seed);
    if (key && fmt::format("{:08x}", key->public_key().id()) == hash) out = std::move(key);
  }
  wipe(seed);
  wipe(*text);
  return out;
}

Result<void> PrivateKey::save(const std::string& path) const {
  std::string_view seed(reinterpret_cast<const char*>(impl_->seed.data()), kKeyBytes);
  std::string text = fmt::format("{}{}+{:08x}+{}\n", kPrivatePrefix, impl_->public_key.name(), impl_->public_key.id(),
                                 base64_of(with_algorithm(seed)));
  auto result = write_secret(path, text);
  wipe(text);
  return result;
}

PublicKey PrivateKey::public_key() const { return impl_->public_key; }

Signature PrivateKey::sign(std::string_view message) const {
  Signature out{};
  size_t size = out.size();
  Context context(EVP_MD_CTX_new());
  require(context != nullptr);
  require(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, impl_->key.get()) == 1);
  require(EVP_DigestSign(context.get(), out.data(), &size, bytes_of(message), message.size()) == 1);
  return out;
}

// --- digests ---

struct DigestKey::Impl {
  std::array<uint8_t, kKeyBytes> bytes{};
  ~Impl() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

DigestKey DigestKey::generate() {
  auto impl = std::make_shared<Impl>();
  require(RAND_priv_bytes(impl->bytes.data(), kKeyBytes) == 1);
  DigestKey out;
  out.impl_ = std::move(impl);
  return out;
}

Result<DigestKey> DigestKey::load(const std::string& path) {
  auto text = read_secret(path);
  if (!text) return text.error();
  std::string bytes;
  bool fits = text->starts_with(kDigestPrefix) &&
              parse_base64(std::string_view(*text).substr(kDigestPrefix.size()), &bytes) && bytes.size() == kKeyBytes;
  wipe(*text);
  if (!fits) return Error{"bad_key", path + ": not a digest key as `ordain keys init` makes it"};
  auto impl = std::make_shared<Impl>();
  std::memcpy(impl->bytes.data(), bytes.data(), kKeyBytes);
  wipe(bytes);
  DigestKey out;
  out.impl_ = std::move(impl);
  return out;
}

Result<void> DigestKey::save(const std::string& path) const {
  std::string_view bytes(reinterpret_cast<const char*>(impl_->bytes.data()), kKeyBytes);
  std::string text = fmt::format("{}{}\n", kDigestPrefix, base64_of(bytes));
  auto result = write_secret(path, text);
  wipe(text);
  return result;
}

Digest DigestKey::digest(std::string_view bytes) const {
  Digest out{};
  unsigned size = 0;
  require(HMAC(EVP_sha256(), impl_->bytes.data(), kKeyBytes, bytes_of(bytes), bytes.size(), out.data(), &size) !=
          nullptr);
  return out;
}

std::array<uint8_t, 8> DigestKey::id() const {
  Digest named = digest("ordain digest key");
  std::array<uint8_t, 8> out{};
  std::copy_n(named.begin(), out.size(), out.begin());
  return out;
}

}  // namespace ordain

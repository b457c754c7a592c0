// Keys are the operator's signing key, the public key that checks it, and the key of the digests
// that replace redacted values. Their texts are those of C2SP signed notes, so that other tools can
// check what Ordain signs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/digest.h"
#include "ordain/export.h"
#include "ordain/result.h"

namespace ordain {

using Signature = std::array<uint8_t, 64>;  ///< Ed25519

/// An Ed25519 public key with the name of its owner. It is a value; thread-safe.
class ORDAIN_API PublicKey {
 public:
  using LendsViews = void;  ///< name() is a view of the key

  /// Reads a verifier key, `name+hash+base64`. @returns error "bad_key".
  static Result<PublicKey> parse(std::string_view text);
  /// Reads a verifier key from a file, ignoring white space around it. @returns error "bad_key" or
  /// "key_unreadable".
  static Result<PublicKey> load(const std::string& path);

  const std::string& name() const& { return name_; }
  std::string name() const&& { return name_; }
  std::string text() const;  ///< in the form that `parse` reads
  uint32_t id() const;       ///< the hash in the text: first four bytes of SHA-256(name, 0x0A, 0x01, key), big-endian
  bool verify(std::string_view message, const Signature& signature) const;
  bool operator==(const PublicKey&) const = default;

 private:
  friend class PrivateKey;
  std::string name_;
  std::array<uint8_t, 32> bytes_{};
};

/// An Ed25519 key pair. It is a handle: copies share it. Thread-safe. Its memory is wiped with the
/// last copy.
class ORDAIN_API PrivateKey {
 public:
  /// Makes a new key. `name` is printable ASCII without spaces and '+', at most 128 bytes. @returns
  /// error "bad_key".
  static Result<PrivateKey> generate(std::string_view name);
  /// Reads a file that `save` wrote. @returns error "key_exposed" if others than its owner may read
  /// it or another user owns it, "bad_key" or "key_unreadable".
  static Result<PrivateKey> load(const std::string& path);
  /// Creates the file with mode 0600. @returns error "key_exists" (it is never overwritten) or
  /// "key_unwritable".
  Result<void> save(const std::string& path) const;

  PublicKey public_key() const;
  Signature sign(std::string_view message) const;

 private:
  struct Impl;
  static Result<PrivateKey> from_seed(std::string_view name, std::string_view seed);
  std::shared_ptr<const Impl> impl_;
};

/// A secret of 32 bytes for digests of values (HMAC-SHA256): without it, a reader of the record
/// cannot guess a value and compare digests. It is a handle, like PrivateKey.
class ORDAIN_API DigestKey {
 public:
  static DigestKey generate();
  static Result<DigestKey> load(const std::string& path);  ///< errors as for PrivateKey::load
  Result<void> save(const std::string& path) const;        ///< errors as for PrivateKey::save

  Digest digest(std::string_view bytes) const;
  /// Names the key without revealing it: the first eight bytes of the digest of "ordain digest
  /// key".
  std::array<uint8_t, 8> id() const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// Writes a signed note: `text`, an empty line, and the line "— name base64(id, signature)". `text`
/// must be UTF-8 and end with a line feed, but not with an empty line, and hold no other control
/// characters.
ORDAIN_API std::string sign_note(const PrivateKey& key, std::string_view text);

/// Opens a note. @returns its text if one of `keys` signed it (signatures of other keys are
/// skipped); error "bad_note" (malformed), "not_signed" (by none of the keys) or "bad_signature".
ORDAIN_API Result<std::string> open_note(std::string_view note, const std::vector<PublicKey>& keys);

}  // namespace ordain

// Sha256 is the hash of chains and bindings. Keep a hasher for many messages, because setting one
// up costs as much as hashing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace ordain::detail {

/// Hashes one message at a time: call `add` any number of times, then `finish`, which also prepares
/// the hasher for the next message. Not thread-safe.
class Sha256 {
 public:
  using Hash = std::array<uint8_t, 32>;
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(const void* bytes, size_t size);
  void add(std::string_view bytes) { add(bytes.data(), bytes.size()); }
  Hash finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ordain::detail

// ObjectCache keeps on disk the objects that LLVM made of a program, for the next process that
// loads the same program.
//
// These files are code. They are therefore read only from a directory to which no other user can
// write, and accepted only with a message authentication code under a secret that is kept there. A
// file that is truncated, altered or made for another key is ignored.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/jit.h"
#include "ordain/program.h"
#include "ordain/result.h"

namespace ordain::native {

/// @returns the key of a compilation's objects, a digest of everything that they depend on.
/// `target`: LLVM's version, the processor and its features.
Digest object_key(const Program& program, const NativeOptions& options, std::string_view target);

/// The objects of one compilation, in the order of its modules.
struct Archive {
  std::string bytes;
  std::vector<std::string_view> objects;  ///< views of `bytes`
};

/// May be used by several threads and processes at once.
class ObjectCache {
 public:
  /// @returns error code "unsafe_cache".
  static Result<std::shared_ptr<const ObjectCache>> open(const std::string& directory, uint64_t most_bytes);
  ~ObjectCache();
  ObjectCache(const ObjectCache&) = delete;
  ObjectCache& operator=(const ObjectCache&) = delete;

  /// @returns nullptr if there are no trusted objects for this key
  std::unique_ptr<Archive> find(const Digest& key) const;
  /// Replaces the objects of this key atomically. A failure is not an error: it only costs time
  /// later.
  void put(const Digest& key, std::span<const std::string> objects) const;

 private:
  ObjectCache(int directory, std::string secret, uint64_t most_bytes);
  bool write(const std::string& name, std::string_view bytes) const;
  void evict(const std::string& kept) const;

  int directory_;
  std::string secret_;
  uint64_t most_bytes_;
};

}  // namespace ordain::native

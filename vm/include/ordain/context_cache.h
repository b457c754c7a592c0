// ContextCache keeps contexts by the JSON text that they were made of, for hosts that get who acts
// as text with every call.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ordain/call.h"
#include "ordain/export.h"
#include "ordain/result.h"

namespace ordain {

/// Contexts of one program, at most a given number. A text that is known byte for byte is hashed and
/// compared, not parsed. Not thread-safe: have one for each thread.
class ORDAIN_API ContextCache {
 public:
  static constexpr size_t kMost = 4096;
  static constexpr size_t kLongest = 64 * 1024;  ///< longer texts are read each time

  explicit ContextCache(std::shared_ptr<const Program> program, size_t most = kMost);

  /// Returns the context for `{"agent": {...}, "principal": {...}, "tenant": ..., "environment": ..., "session": ...}`,
  /// of which any may be missing, and each is what Context::set_root takes. Undeclared attributes are
  /// skipped; a value that does not fit makes the context, and so the calls with it, invalid.
  /// @returns a context that is valid until the next call of `of`; or error code "bad_json" if the
  /// text is not such an object.
  Result<const Context*> of(std::string_view json);

  size_t size() const { return contexts_.size(); }  ///< kept at present

 private:
  struct ORDAIN_API TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const;
  };

  Result<std::unique_ptr<const Context>> make(std::string_view json) const;

  std::shared_ptr<const Program> program_;
  const size_t most_;
  std::unordered_map<std::string, std::unique_ptr<const Context>, TextHash, std::equal_to<>> contexts_;
  std::unique_ptr<const Context> long_;  ///< of the last text that was too long to keep
};

}  // namespace ordain

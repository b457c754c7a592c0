// An Identity says on whose behalf a call acts. Make it once for many calls; passing it to a call
// is cheap.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/call.h"
#include "ordain/export.h"
#include "ordain/json.h"
#include "ordain/result.h"

namespace ordain {

/// 128 random bits that name an action, a session, an approval or an audit chain.
struct ORDAIN_API Id128 {
  std::array<uint8_t, 16> bytes{};

  static Id128 random();  ///< from the system's randomness; unique across threads and forks
  static bool parse(std::string_view hex, Id128* out);
  std::string hex() const;  ///< 32 lower-case digits
  bool operator==(const Id128&) const = default;
};

/// The caller's identity as the host knows it. Every text is valid UTF-8; an empty text means "not
/// given".
struct Who {
  std::string agent = {};
  std::string principal = {};
  std::string tenant = {};
  std::string environment = {};
  std::string session = {};
  /// Further attributes by root record: `{"agent": {"roles": ["banker"]}, "session": {"labels":
  /// ["pii"]}}`.
  Document attributes = {};
};

/// The caller's identity, resolved against a program, and again when the program changes. It is a
/// handle: copies share one state. Thread-safe; any number of threads may use one identity at once.
class ORDAIN_API Identity {
 public:
  /// @returns error code "invalid_identity" (bad UTF-8, an over-long text, an attribute that does not fit its
  /// declaration, a root that is not an object, or two different values for one id).
  static Result<Identity> make(Who who, const std::shared_ptr<const Program>& program);

  using LendsViews = void;  ///< who() and ignored() live as long as a copy of the identity

  const Who& who() const&;
  const Who& who() const&& = delete;
  /// @returns the paths of `attributes` that the program given to `make` does not declare; they
  /// were ignored
  const std::vector<std::string>& ignored() const&;
  const std::vector<std::string>& ignored() const&& = delete;

  /// @returns the facts in the slots of `program`, built on first use for a program and then shared
  std::shared_ptr<const Context> context(const std::shared_ptr<const Program>& program) const;
  uint64_t serial() const;  ///< different for every identity made in this process

 private:
  struct State;
  explicit Identity(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace ordain

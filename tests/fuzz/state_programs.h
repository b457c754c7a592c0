// state_programs makes programs with state from the bytes of a fuzzer, and with each a plain description of what it
// declares and of what its rules ask, for the oracle of history.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/history_oracle.h"

namespace ordain::fuzz {

/// Choices that the bytes of an input make; when there are no more bytes, always the first.
class Draws {
 public:
  Draws(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}
  bool done() const { return at_ == end_; }
  /// @returns a number from 0 to `count` - 1, of at most 256
  uint32_t below(uint32_t count) { return done() ? 0 : *at_++ % count; }
  bool one_in(uint32_t count) { return below(count) == count - 1; }
  /// @returns a number of nanoseconds that is less than about 4 seconds
  int64_t nanoseconds() {
    const int64_t high = below(256), middle = below(256);
    return (high << 24) + (middle << 16) + below(256);
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

inline constexpr size_t kCapabilities = 3;  ///< c0, c1 and c2, which is irreversible
inline constexpr int64_t kOneSecond = 1'000'000'000;

enum class IdentityPart : uint8_t { principal, session, tenant };
enum class PathPart : uint8_t { none, input, output };  ///< a field `who`

struct FuzzedState {
  test::OracleState oracle;
  std::vector<IdentityPart> identities;
  PathPart path = PathPart::none;
  std::array<bool, kCapabilities> targets{};
  bool sums = false;     ///< the `n` of the input, or of the output for done calls
  int more_than = -1;    ///< counts only where `n` is more
  bool settles = false;  ///< budget
  int64_t amount = 0;    ///< budget

  bool is_history() const { return oracle.kind == test::OracleState::history; }
  bool is_done() const { return is_history() && oracle.verb == test::OracleState::done; }
};

/// Whose share a rule reads of a state with a path.
enum class ReadKey : uint8_t { own, given, literal };  ///< `input.who`, or kLiteral
inline constexpr const char* kLiteral = "bravo";

enum class Asked : uint8_t {
  seen,
  unseen,
  count,
  running,
  sum,
  old,
  first,
  after,
  blocked,
  wait,
  over,
  used,
  labelled,
  carries
};

struct FuzzedRule {
  bool denies = false;
  Asked asked = Asked::seen;
  size_t state = 0, other = 0;
  ReadKey key = ReadKey::own;
  int64_t threshold = 0;
};

/// Rules are named r0, r1 ... in their order.
struct FuzzedSet {
  std::vector<FuzzedState> states;  ///< s0, s1 ...
  bool labels = false;              ///< what c1 releases carries the label `secret`
  std::vector<FuzzedRule> rules;
};

std::vector<FuzzedState> draw_states(Draws& draws);
std::vector<FuzzedRule> draw_rules(Draws& draws, const std::vector<FuzzedState>& states, bool labels);

/// @returns the set as policy text. Rules that only warn read every member of every state, so that a reload never
/// begins to keep what was not kept before.
std::string write_policies(const FuzzedSet& set);

}  // namespace ordain::fuzz

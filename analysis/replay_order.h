// ReplayOrder brings records into the order in which their calls changed the state: writers in several threads and
// processes record what they did a little later, and not always in that order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/replay_chunks.h"
#include "runtime/audit/view.h"

namespace ordain::detail {

/// Holds a bounded number of records back. Not thread-safe.
class ReplayOrder {
 public:
  /// @param intent for an outcome, the body of the record with which its call began; "" if it is not there
  using Use = std::function<void(uint64_t id, const std::string& body, const std::string& intent)>;

  explicit ReplayOrder(Use use) : use_(std::move(use)) {}

  void add(uint64_t id, std::string_view body);
  /// Passes on what is held back.
  void finish();

 private:
  /// A store that begins anew counts its changes from 1 again.
  struct Turn {
    uint64_t store = 0, sequence = 0, id = 0;
    auto operator<=>(const Turn&) const = default;
  };
  struct Held {
    std::string body, intent;
  };

  Turn turn_of(const RecordView& record, uint64_t id);
  void pass_on_first();

  Use use_;
  OpenIntents intents_, decisions_;
  RecordView view_;
  std::map<Turn, Held> held_;
  size_t bytes_ = 0;
  uint64_t store_ = 0, latest_ = 0;  ///< sequence
  Turn passed_;                      ///< the last one that was passed on
};

}  // namespace ordain::detail

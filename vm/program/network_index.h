// NetworkIndex finds which of many ranges of IP addresses hold an address.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ordain/schema.h"
#include "ordain/value.h"
#include "vm/value/ip_address.h"

namespace ordain::vm {

/// Immutable once built. Two ranges either have no address in common, or one holds the other. So of
/// the ranges that begin at or before an address, the last one holds it, or else one of the ranges
/// around that one does; a binary search finds the last one, and the ranges around it form a chain.
class NetworkIndex {
 public:
  /// @param ranges cidrs. Their places are the numbers by which they are found. Two may be equal.
  explicit NetworkIndex(std::span<const Value> ranges);

  /// Calls `found(number)` for each range that holds the address, once.
  /// @returns false, without a call, if `text` is not an address: testing it faults
  template <typename Found>
  bool scan(std::string_view text, const Found& found) const {
    IpAddress address;
    if (read_ip_address(text, &address) != IpReading::good) return false;
    const Table& table = tables_[address.v4() ? 0 : 1];
    const Key key = key_of(address);
    const auto after = std::upper_bound(table.firsts.begin(), table.firsts.end(), key);
    auto at = static_cast<uint32_t>(after - table.firsts.begin()) - 1;  // kNone before the first
    for (; at != kNone; at = table.entries[at].around) {
      if (key <= table.entries[at].last) found(table.entries[at].number);
    }
    return true;
  }

  size_t bytes() const;

 private:
  /// The bits of an address, as a number: those of IPv4 in `high` alone.
  struct Key {
    uint64_t high = 0, low = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    Key last;  ///< the last address of the range
    uint32_t number = 0;
    uint32_t around = kNone;  ///< the smallest range before this one that holds it
  };
  /// Ranges by their first address; of those with the same first address, larger ones come first.
  struct Table {
    std::vector<Key> firsts;
    std::vector<Entry> entries;
  };

  static Key key_of(const IpAddress& address);
  static Table table_of(std::span<const Value> ranges, bool v4);

  Table tables_[2];  ///< of IPv4, of IPv6
};

}  // namespace ordain::vm

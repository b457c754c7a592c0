// Builds the tables of a NetworkIndex.
#include "vm/program/network_index.h"

#include <tuple>

namespace ordain::vm {

NetworkIndex::Key NetworkIndex::key_of(const IpAddress& address) {
  Key out;
  for (uint32_t i = 0; i < address.size; ++i) {
    uint64_t& half = i < 8 ? out.high : out.low;
    half = half << 8 | address.bytes[i];
  }
  return out;
}

NetworkIndex::NetworkIndex(std::span<const Value> ranges) : tables_{table_of(ranges, true), table_of(ranges, false)} {}

NetworkIndex::Table NetworkIndex::table_of(std::span<const Value> ranges, bool v4) {
  struct Bounds {
    Key first, last;
    uint32_t number;
  };
  std::vector<Bounds> all;
  for (uint32_t number = 0; number < ranges.size(); ++number) {
    const IpAddress address = ip_address_of(ranges[number]);
    if (address.v4() != v4) continue;
    const uint32_t length = prefix_length_of(ranges[number]);
    IpAddress last = address;
    for (uint32_t bit = length; bit < last.size * 8; ++bit) last.bytes[bit / 8] |= 0x80 >> bit % 8;
    const IpAddress first = network_of(address, length);
    all.push_back({key_of(first), key_of(last), number});
  }
  std::sort(all.begin(), all.end(), [](const Bounds& a, const Bounds& b) {
    return std::tie(a.first, b.last, a.number) < std::tie(b.first, a.last, b.number);
  });
  Table out;
  for (uint32_t i = 0; i < all.size(); ++i) {
    uint32_t around = i == 0 ? kNone : i - 1;
    while (around != kNone && out.entries[around].last < all[i].last) around = out.entries[around].around;
    out.firsts.push_back(all[i].first);
    out.entries.push_back({all[i].last, all[i].number, around});
  }
  return out;
}

size_t NetworkIndex::bytes() const {
  size_t out = sizeof(*this);
  for (const Table& table : tables_) {
    out += table.firsts.capacity() * sizeof(Key) + table.entries.capacity() * sizeof(Entry);
  }
  return out;
}

}  // namespace ordain::vm

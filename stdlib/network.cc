// network.cc implements IP addresses and CIDR ranges. It refuses addresses with a zone. An IPv4
// address in IPv6 notation is that IPv4 address if it is written in hexadecimal, as systems print it
// (::ffff:c0a8:1); with dots, and as a range, it is refused, as CEL's definition says.
#include <charconv>
#include <cstring>

#include "stdlib/rows.h"
#include "vm/value/ip_address.h"

namespace ordain::stdlib {
namespace {

using Address = IpAddress;
using Reading = IpReading;

// Reads "10.0.0.0/8"; the length is in decimal digits without sign or leading zeros.
Reading read_cidr(std::string_view text, Address* out, uint32_t* length) {
  size_t slash = text.rfind('/');
  if (text.find('%') != std::string_view::npos) return Reading::zone;
  if (slash == std::string_view::npos) return Reading::bad;
  std::string_view digits = text.substr(slash + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *length);
  if (error != std::errc() || end != digits.data() + digits.size()) return Reading::bad;
  if (digits.size() > 1 && digits[0] == '0') return Reading::bad;
  const std::string_view address = text.substr(0, slash);
  Reading reading = read_ip_address(address, out);
  if (reading == Reading::good && out->v4() && address.find(':') != std::string_view::npos) return Reading::mapped;
  if (reading == Reading::good && *length > out->size * 8) return Reading::bad;
  return reading;
}

bool refuse(Eval& eval, Reading reading, bool cidr) {
  switch (reading) {
    case Reading::zone:
      return fail_with(eval, FaultCode::conversion,
                       cidr ? "CIDR with zone value is not allowed" : "IP address with zone value is not allowed");
    case Reading::mapped:
      return fail_with(eval, FaultCode::conversion, "IPv4-mapped IPv6 address is not allowed");
    default:
      return fail_with(eval, FaultCode::conversion, cidr ? "text is not a CIDR range" : "text is not an IP address");
  }
}

bool make(Eval& eval, Kind kind, const Address& address, uint32_t length, Value* result) {
  auto* bytes = eval.array<char>(address.size);
  if (bytes == nullptr) return false;
  std::memcpy(bytes, address.bytes, address.size);
  Value out;
  out.kind = kind;
  out.aux = address.size | length << 8;
  out.text = bytes;
  return give(result, out);
}

// Writes IPv6 by RFC 5952: lower case, with the first longest run of two or more zero groups
// shortened.
size_t write_address(const Address& address, char (&out)[64]) {
  char* at = out;
  if (address.v4()) {
    for (int i = 0; i < 4; ++i) {
      if (i > 0) *at++ = '.';
      at = std::to_chars(at, out + sizeof out, address.bytes[i]).ptr;
    }
    return static_cast<size_t>(at - out);
  }
  const auto group = [&](int i) { return address.bytes[2 * i] << 8 | address.bytes[2 * i + 1]; };
  int run = -1;
  int longest = 1;
  for (int i = 0; i < 8; ++i) {
    int zeros = 0;
    while (i + zeros < 8 && group(i + zeros) == 0) ++zeros;
    if (zeros > longest) {
      run = i;
      longest = zeros;
    }
  }
  for (int i = 0; i < 8; ++i) {
    if (i == run) {
      *at++ = ':';
      *at++ = ':';
      i += longest - 1;
      continue;
    }
    if (i > 0 && at[-1] != ':') *at++ = ':';
    at = std::to_chars(at, out + sizeof out, group(i), 16).ptr;
  }
  return static_cast<size_t>(at - out);
}

bool same_start(const Address& a, const Address& b, uint32_t bits) {
  if (std::memcmp(a.bytes, b.bytes, bits / 8) != 0) return false;
  uint32_t rest = bits % 8;
  return rest == 0 || ((a.bytes[bits / 8] ^ b.bytes[bits / 8]) >> (8 - rest)) == 0;
}

bool ip(Eval& eval, const Value* args, Value* result) {
  Address address;
  Reading reading = read_ip_address(args[0].as_text(), &address);
  if (reading != Reading::good) return refuse(eval, reading, false);
  return make(eval, Kind::ip, address, 0, result);
}
bool is_ip(Eval&, const Value* args, Value* result) {
  Address address;
  return give(result, Value::boolean(read_ip_address(args[0].as_text(), &address) == Reading::good));
}
bool is_canonical(Eval& eval, const Value* args, Value* result) {
  Address address;
  Reading reading = read_ip_address(args[0].as_text(), &address);
  if (reading != Reading::good) return refuse(eval, reading, false);
  char text[64];
  return give(result, Value::boolean(std::string_view(text, write_address(address, text)) == args[0].as_text()));
}
bool cidr(Eval& eval, const Value* args, Value* result) {
  Address address;
  uint32_t length = 0;
  Reading reading = read_cidr(args[0].as_text(), &address, &length);
  if (reading != Reading::good) return refuse(eval, reading, true);
  return make(eval, Kind::cidr, address, length, result);
}
bool is_cidr(Eval&, const Value* args, Value* result) {
  Address address;
  uint32_t length = 0;
  return give(result, Value::boolean(read_cidr(args[0].as_text(), &address, &length) == Reading::good));
}

bool family(Eval&, const Value* args, Value* result) {
  return give(result, Value::integer(ip_address_of(args[0]).v4() ? 4 : 6));
}

using Test = bool (*)(const Address&);
template <Test test>
bool test_ip(Eval&, const Value* args, Value* result) {
  return give(result, Value::boolean(test(ip_address_of(args[0]))));
}
bool all_bytes(const Address& a, unsigned char byte, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    if (a.bytes[i] != byte) return false;
  }
  return true;
}
bool unspecified(const Address& a) { return all_bytes(a, 0, a.size); }
bool loopback(const Address& a) { return a.v4() ? a.bytes[0] == 127 : all_bytes(a, 0, 15) && a.bytes[15] == 1; }
bool multicast(const Address& a) { return a.v4() ? a.bytes[0] >> 4 == 14 : a.bytes[0] == 0xFF; }
bool link_local_unicast(const Address& a) {
  return a.v4() ? a.bytes[0] == 169 && a.bytes[1] == 254 : a.bytes[0] == 0xFE && (a.bytes[1] & 0xC0) == 0x80;
}
bool link_local_multicast(const Address& a) {
  return a.v4() ? a.bytes[0] == 224 && a.bytes[1] == 0 && a.bytes[2] == 0
                : a.bytes[0] == 0xFF && (a.bytes[1] & 15) == 2;
}
bool global_unicast(const Address& a) {
  bool broadcast = a.v4() && all_bytes(a, 255, 4);
  return !broadcast && !unspecified(a) && !loopback(a) && !multicast(a) && !link_local_unicast(a);
}

bool contains_address(const Value& range, const Address& address) {
  Address base = ip_address_of(range);
  return base.size == address.size && same_start(base, address, prefix_length_of(range));
}
bool contains_ip(Eval&, const Value* args, Value* result) {
  return give(result, Value::boolean(contains_address(args[0], ip_address_of(args[1]))));
}
bool contains_ip_text(Eval& eval, const Value* args, Value* result) {
  Address address;
  Reading reading = read_ip_address(args[1].as_text(), &address);
  if (reading != Reading::good) return refuse(eval, reading, false);
  return give(result, Value::boolean(contains_address(args[0], address)));
}
bool contains_cidr(Eval&, const Value* args, Value* result) {
  bool inside =
      prefix_length_of(args[0]) <= prefix_length_of(args[1]) && contains_address(args[0], ip_address_of(args[1]));
  return give(result, Value::boolean(inside));
}
bool contains_cidr_text(Eval& eval, const Value* args, Value* result) {
  Address address;
  uint32_t length = 0;
  Reading reading = read_cidr(args[1].as_text(), &address, &length);
  if (reading != Reading::good) return refuse(eval, reading, true);
  return give(result, Value::boolean(prefix_length_of(args[0]) <= length && contains_address(args[0], address)));
}

bool cidr_ip(Eval& eval, const Value* args, Value* result) {
  return make(eval, Kind::ip, ip_address_of(args[0]), 0, result);
}
bool masked(Eval& eval, const Value* args, Value* result) {
  const uint32_t length = prefix_length_of(args[0]);
  return make(eval, Kind::cidr, network_of(ip_address_of(args[0]), length), length, result);
}
bool prefix_length(Eval&, const Value* args, Value* result) {
  return give(result, Value::integer(prefix_length_of(args[0])));
}
bool ip_to_string(Eval& eval, const Value* args, Value* result) {
  char text[64];
  return eval.make_string({text, write_address(ip_address_of(args[0]), text)}, result);
}
bool cidr_to_string(Eval& eval, const Value* args, Value* result) {
  char text[64];
  size_t size = write_address(ip_address_of(args[0]), text);
  text[size++] = '/';
  char* end = std::to_chars(text + size, text + sizeof text, prefix_length_of(args[0])).ptr;
  return eval.make_string({text, end}, result);
}

}  // namespace

void add_network(FunctionTable& table) {
  const Overload rows[] = {
      {"ip", "ip", "(string) -> net.IP", ip, "Reads an IPv4 or IPv6 address."},
      {"ip", "cidr_ip", "net.CIDR.() -> net.IP", cidr_ip, "The address of the range, as written."},
      {"isIP", "is_ip", "(string) -> bool", is_ip, "Whether the text is an IP address.", nullptr, kNeverFaults},
      {"ip.isCanonical", "ip_is_canonical", "(string) -> bool", is_canonical,
       "Whether the address is written in its canonical form; a fault if the text is not an address."},
      {"cidr", "cidr", "(string) -> net.CIDR", cidr, "Reads a range: \"10.0.0.0/8\"."},
      {"isCIDR", "is_cidr", "(string) -> bool", is_cidr, "Whether the text is a CIDR range.", nullptr, kNeverFaults},
      {"family", "ip_family", "net.IP.() -> int", family, "4 or 6.", nullptr, kNeverFaults},
      {"isUnspecified", "ip_is_unspecified", "net.IP.() -> bool", test_ip<unspecified>, "Whether it is 0.0.0.0 or ::.",
       nullptr, kNeverFaults},
      {"isLoopback", "ip_is_loopback", "net.IP.() -> bool", test_ip<loopback>, "Whether it is in 127.0.0.0/8 or ::1.",
       nullptr, kNeverFaults},
      {"isGlobalUnicast", "ip_is_global_unicast", "net.IP.() -> bool", test_ip<global_unicast>,
       "Whether it is a unicast address beyond the link, private ones included.", nullptr, kNeverFaults},
      {"isLinkLocalMulticast", "ip_is_link_local_multicast", "net.IP.() -> bool", test_ip<link_local_multicast>,
       "Whether it is in 224.0.0.0/24 or ff02::/16.", nullptr, kNeverFaults},
      {"isLinkLocalUnicast", "ip_is_link_local_unicast", "net.IP.() -> bool", test_ip<link_local_unicast>,
       "Whether it is in 169.254.0.0/16 or fe80::/10.", nullptr, kNeverFaults},
      {"containsIP", "cidr_contains_ip", "net.CIDR.(net.IP) -> bool", contains_ip,
       "Whether the address is in the range.", nullptr, kNeverFaults},
      {"containsIP", "cidr_contains_ip_string", "net.CIDR.(string) -> bool", contains_ip_text,
       "Whether the address is in the range; a fault if the text is not an address."},
      {"containsCIDR", "cidr_contains_cidr", "net.CIDR.(net.CIDR) -> bool", contains_cidr,
       "Whether the other range is within this one.", nullptr, kNeverFaults},
      {"containsCIDR", "cidr_contains_cidr_string", "net.CIDR.(string) -> bool", contains_cidr_text,
       "Whether the other range is within this one; a fault if the text is not a range."},
      {"masked", "cidr_masked", "net.CIDR.() -> net.CIDR", masked, "The range with the bits past its length zero."},
      {"prefixLength", "cidr_prefix_length", "net.CIDR.() -> int", prefix_length, "The bits that the range fixes.",
       nullptr, kNeverFaults},
      {"string", "ip_to_string", "(net.IP) -> string", ip_to_string, "The address in its canonical form."},
      {"string", "cidr_to_string", "(net.CIDR) -> string", cidr_to_string, "The range in its canonical form."},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib

// encoders.cc implements base64 (RFC 4648, section 4). Encoding pads; decoding accepts padded and
// unpadded text, and skips line ends.
#include <array>

#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> kDigits = [] {
  std::array<int8_t, 256> out{};
  out.fill(-1);
  for (int8_t i = 0; i < 64; ++i) out[static_cast<unsigned char>(kAlphabet[i])] = i;
  return out;
}();

bool encode(Eval& eval, const Value* args, Value* result) {
  std::string_view data = args[0].as_text();
  if (data.empty()) return give(result, Value::string(""));
  size_t size = (data.size() + 2) / 3 * 4;
  if (size > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  auto* out = eval.array<char>(size);
  if (out == nullptr) return false;
  char* put = out;
  for (size_t at = 0; at < data.size(); at += 3) {
    size_t have = data.size() - at;
    const auto byte = [&](size_t n) { return n < have ? uint32_t{static_cast<unsigned char>(data[at + n])} : 0U; };
    uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
    *put++ = kAlphabet[group >> 18];
    *put++ = kAlphabet[group >> 12 & 63];
    *put++ = have > 1 ? kAlphabet[group >> 6 & 63] : '=';
    *put++ = have > 2 ? kAlphabet[group & 63] : '=';
  }
  return give(result, text_at(out, size));
}

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

// @returns whether `digits` digits followed by `pads` padding characters form complete groups
bool well_padded(size_t digits, size_t pads) {
  if (digits % 4 == 1) return false;
  return pads == 0 || (digits % 4 != 0 && digits % 4 + pads == 4);
}

bool decode(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  if (text.empty()) return give(result, Value::bytes(""));
  auto* out = eval.array<char>(text.size() / 4 * 3 + 3);
  if (out == nullptr) return false;
  size_t digits = 0;
  size_t pads = 0;
  size_t size = 0;
  uint32_t bits = 0;
  for (char c : text) {
    if (is_line_end(c)) continue;
    int8_t digit = kDigits[static_cast<unsigned char>(c)];
    if (c == '=') {
      ++pads;
      continue;
    }
    if (digit < 0 || pads > 0) return fail_with(eval, FaultCode::conversion, "text is not base64");
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if (++digits % 4 != 1) out[size++] = static_cast<char>(bits >> (6 - 2 * ((digits - 1) % 4)));
  }
  if (!well_padded(digits, pads)) return fail_with(eval, FaultCode::conversion, "text is not base64");
  return give(result, Value::bytes({out, size}));
}

}  // namespace

void add_encoders(FunctionTable& table) {
  const Overload rows[] = {
      {"base64.encode", "base64_encode_bytes", "(bytes) -> string", encode, "The bytes in base64, padded.",
       first_text_cost},
      {"base64.decode", "base64_decode_string", "(string) -> bytes", decode,
       "The bytes that base64 text stands for, padded or not.", first_text_cost},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib

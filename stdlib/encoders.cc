// base64 (RFC 4648, section 4). Encoding pads; decoding accepts padded and unpadded text, and skips
// line ends.
#include "stdlib/rows.h"
#include "vm/value/encodings.h"

namespace ordain::stdlib {
namespace {

bool encode(Eval& eval, const Value* args, Value* result) {
  std::string_view data = args[0].as_text();
  if (data.empty()) return give(result, Value::string(""));
  size_t size = base64_size(data.size());
  if (size > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  auto* out = eval.array<char>(size);
  if (out == nullptr) return false;
  write_base64(data, out);
  return give(result, text_at(out, size));
}

bool decode(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  if (text.empty()) return give(result, Value::bytes(""));
  auto* out = eval.array<char>(base64_room(text.size(), Base64::lenient));
  if (out == nullptr) return false;
  size_t size = 0;
  if (!read_base64(text, Base64::lenient, out, &size)) {
    return fail_with(eval, FaultCode::conversion, "text is not base64");
  }
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

// op.cc encodes and decodes ops.
#include "runtime/state/op.h"

#include "runtime/audit/value_bytes.h"
#include "runtime/identity/text.h"
#include "runtime/state/key.h"

namespace ordain::state {
namespace {

using detail::append_sized;
using detail::append_u32;
using detail::append_u64;
using detail::take_sized;
using detail::take_u32;
using detail::take_u64;

constexpr size_t kSmallestItem = 9;  ///< bytes that any item of a list takes, at the least

void append_flag(std::string& out, bool flag) { out.push_back(flag ? '\1' : '\0'); }

void append_id(std::string& out, const std::array<uint8_t, 16>& id) {
  out.append(reinterpret_cast<const char*>(id.data()), id.size());
}

bool take_flag(std::string_view& in, bool* out) {
  if (in.empty() || static_cast<unsigned char>(in.front()) > 1) return false;
  *out = in.front() != 0;
  in.remove_prefix(1);
  return true;
}

bool take_id(std::string_view& in, std::array<uint8_t, 16>* out) {
  std::string_view bytes;
  if (!detail::take_bytes(in, out->size(), &bytes)) return false;
  bytes.copy(reinterpret_cast<char*>(out->data()), out->size());
  return true;
}

bool take_signed(std::string_view& in, int64_t* out) {
  uint64_t raw = 0;
  if (!take_u64(in, &raw)) return false;
  *out = static_cast<int64_t>(raw);
  return true;
}

bool take_key(std::string_view& in, std::string* out) {
  std::string_view key;
  if (!take_sized(in, &key) || !split_key(key)) return false;
  *out = key;
  return true;
}

bool take_text(std::string_view& in, bool empty_allowed, std::string* out) {
  std::string_view text;
  if (!take_sized(in, &text) || text.size() > detail::kMaxIdentityText || !detail::text_problem(text).empty())
    return false;
  *out = text;
  return empty_allowed || !text.empty();
}

bool take_labels(std::string_view& in, LabelSet* out) {
  uint32_t raw = 0;
  if (!take_u32(in, &raw) || raw > UINT16_MAX) return false;
  *out = static_cast<LabelSet>(raw);
  return true;
}

template <typename T, typename Append>
void append_list(std::string& out, const std::vector<T>& items, Append append) {
  append_u32(out, static_cast<uint32_t>(items.size()));
  for (const T& item : items) append(item);
}

template <typename T, typename Take>
bool take_list(std::string_view& in, size_t smallest, std::vector<T>* out, Take take) {
  uint32_t count = 0;
  if (!take_u32(in, &count) || count > in.size() / smallest) return false;
  out->resize(count);
  for (T& item : *out) {
    if (!take(item)) return false;
  }
  return true;
}

void append_effects(std::string& out, const std::vector<Effect>& effects) {
  append_list(out, effects, [&](const Effect& effect) {
    append_u32(out, effect.state);
    append_sized(out, effect.key);
    append_amount(out, effect.amount);
    append_u64(out, static_cast<uint64_t>(effect.period));
    append_flag(out, effect.counts);
  });
}

bool take_effects(std::string_view& in, std::vector<Effect>* out) {
  return take_list(in, kSmallestItem, out, [&](Effect& effect) {
    return take_u32(in, &effect.state) && take_key(in, &effect.key) && take_amount(in, &effect.amount) &&
           take_signed(in, &effect.period) && take_flag(in, &effect.counts);
  });
}

void append_settlements(std::string& out, const std::vector<Settlement>& settlements) {
  append_list(out, settlements, [&](const Settlement& settlement) {
    append_u32(out, settlement.effect);
    out.push_back(static_cast<char>(settlement.how));
    append_amount(out, settlement.amount);
  });
}

bool take_settlements(std::string_view& in, std::vector<Settlement>* out) {
  return take_list(in, kSmallestItem, out, [&](Settlement& settlement) {
    if (!take_u32(in, &settlement.effect) || in.empty()) return false;
    const auto how = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    settlement.how = static_cast<Settlement::How>(how);
    return how <= Settlement::actual && take_amount(in, &settlement.amount);
  });
}

void append_stamps(std::string& out, const std::vector<Stamp>& stamps) {
  append_list(out, stamps, [&](const Stamp& stamp) {
    append_u32(out, stamp.state);
    append_sized(out, stamp.key);
    append_amount(out, stamp.amount);
    append_flag(out, stamp.lost);
  });
}

bool take_stamps(std::string_view& in, std::vector<Stamp>* out) {
  return take_list(in, kSmallestItem, out, [&](Stamp& stamp) {
    return take_u32(in, &stamp.state) && take_key(in, &stamp.key) && take_amount(in, &stamp.amount) &&
           take_flag(in, &stamp.lost);
  });
}

void append_past(std::string& out, const std::vector<Past>& past) {
  append_list(out, past, [&](const Past& one) {
    append_sized(out, one.key);
    append_u64(out, static_cast<uint64_t>(one.time));
    append_amount(out, one.amount);
  });
}

bool take_past(std::string_view& in, std::vector<Past>* out) {
  return take_list(in, kSmallestItem, out, [&](Past& one) {
    return take_key(in, &one.key) && take_signed(in, &one.time) && take_amount(in, &one.amount);
  });
}

bool take_words(std::string_view& in, std::vector<uint64_t>* out) {
  return take_list(in, sizeof(uint64_t), out, [&](uint64_t& word) { return take_u64(in, &word); });
}

bool take_fields(std::string_view& in, Op* out) {
  switch (out->kind) {
    case OpKind::define:
      return take_definition(in, &out->definition);
    case OpKind::boot:
      return take_id(in, &out->boot) && take_signed(in, &out->offset);
    case OpKind::begin:
      return take_id(in, &out->call.bytes) && take_u64(in, &out->owner) && take_flag(in, &out->leased) &&
             take_effects(in, &out->effects);
    case OpKind::finish:
      return take_id(in, &out->call.bytes) && take_settlements(in, &out->settlements) && take_stamps(in, &out->stamps);
    case OpKind::note:
      return take_stamps(in, &out->stamps);
    case OpKind::renew:
      return take_u64(in, &out->owner);
    case OpKind::start:
      return take_text(in, false, &out->session) && take_text(in, true, &out->parent);
    case OpKind::raise:
      return take_text(in, false, &out->session) && take_labels(in, &out->labels) && take_words(in, &out->words);
    case OpKind::clear:
      return take_text(in, false, &out->session) && take_labels(in, &out->labels);
    case OpKind::end:
      return take_text(in, false, &out->session);
    case OpKind::reset:
      return take_u32(in, &out->state) && take_key(in, &out->key);
    case OpKind::fill:
      return take_u32(in, &out->state) && take_signed(in, &out->since) && take_signed(in, &out->period) &&
             take_past(in, &out->past);
  }
  return false;  // another number
}

}  // namespace

std::string encode_op(const Op& op) {
  std::string out;
  out.push_back(static_cast<char>(op.kind));
  append_u64(out, op.sequence);
  append_u64(out, static_cast<uint64_t>(op.at.time));
  append_u64(out, static_cast<uint64_t>(op.at.wall));
  switch (op.kind) {
    case OpKind::define:
      append_definition(out, op.definition);
      break;
    case OpKind::boot:
      append_id(out, op.boot);
      append_u64(out, static_cast<uint64_t>(op.offset));
      break;
    case OpKind::begin:
      append_id(out, op.call.bytes);
      append_u64(out, op.owner);
      append_flag(out, op.leased);
      append_effects(out, op.effects);
      break;
    case OpKind::finish:
      append_id(out, op.call.bytes);
      append_settlements(out, op.settlements);
      append_stamps(out, op.stamps);
      break;
    case OpKind::note:
      append_stamps(out, op.stamps);
      break;
    case OpKind::renew:
      append_u64(out, op.owner);
      break;
    case OpKind::start:
      append_sized(out, op.session);
      append_sized(out, op.parent);
      break;
    case OpKind::raise:
      append_sized(out, op.session);
      append_u32(out, op.labels);
      append_list(out, op.words, [&](uint64_t word) { append_u64(out, word); });
      break;
    case OpKind::clear:
      append_sized(out, op.session);
      append_u32(out, op.labels);
      break;
    case OpKind::end:
      append_sized(out, op.session);
      break;
    case OpKind::reset:
      append_u32(out, op.state);
      append_sized(out, op.key);
      break;
    case OpKind::fill:
      append_u32(out, op.state);
      append_u64(out, static_cast<uint64_t>(op.since));
      append_u64(out, static_cast<uint64_t>(op.period));
      append_past(out, op.past);
      break;
  }
  return out;
}

bool decode_op(std::string_view bytes, Op* out) {
  *out = Op{};
  if (bytes.empty()) return false;
  out->kind = static_cast<OpKind>(bytes.front());
  bytes.remove_prefix(1);
  return take_u64(bytes, &out->sequence) && take_signed(bytes, &out->at.time) && take_signed(bytes, &out->at.wall) &&
         take_fields(bytes, out) && bytes.empty();
}

}  // namespace ordain::state

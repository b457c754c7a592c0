// helpers.cc wraps vm/value/ops.h and the function table thinly, so that the interpreter and native
// code run the same implementation.
#include "vm/jit/helpers.h"

#include <cstring>

#include "vm/interpret/engine_ops.h"
#include "vm/interpret/frame.h"
#include "vm/value/ops.h"
#include "vm/value/text_search.h"

namespace ordain::native {
namespace {

// --- faults

constexpr uint32_t kFaulted = 2;

uint32_t put_location(Frame* frame, uint32_t location) {
  frame->eval.fault.location = location;
  if (!frame->eval.fault) frame->eval.fail(FaultCode::host_error);  // without a reason
  return kFaulted;
}

uint32_t fault(Frame* frame, uint32_t code, uint32_t location) {
  frame->eval.fail(static_cast<FaultCode>(code));
  return put_location(frame, location);
}

uint32_t fail(Frame* frame, uint32_t code, uint32_t constant, uint32_t location) {
  frame->eval.fail(static_cast<FaultCode>(code), constant == kNone ? Value() : frame->facts.constants[constant]);
  return put_location(frame, location);
}

uint32_t absent(Frame* frame, uint32_t slot, uint32_t location) {
  ops::load_absent(frame->eval, *frame->data, slot, &frame->result);
  return put_location(frame, location);
}

uint32_t exhausted(Frame* frame, uint32_t location) {
  frame->eval.cost_left = 0;
  frame->eval.fail(FaultCode::cost_budget);
  return put_location(frame, location);
}

uint32_t interpret_again(Frame* frame, uint32_t predicate) {
  frame->renew();
  return interpret(*frame, predicate);
}

/// Called before a predicate of a batch that may spend budget or allocate.
void renew(Frame* frame) {
  frame->renew();
  frame->rewind(frame->mark);
}

void save_fault(Frame* frame, uint32_t saved) { frame->saved[saved] = frame->eval.fault; }
uint32_t raise_saved(Frame* frame, uint32_t saved) {
  frame->eval.fault = frame->saved[saved];
  return kFaulted;
}

// --- slots and text

bool load_absent(Frame* frame, uint32_t slot) {
  return ops::load_absent(frame->eval, *frame->data, slot, &frame->result);
}
bool make_optional(Frame* frame, const Value* value) { return ops::make_optional(frame->eval, *value, &frame->result); }
bool int_in(const char* numbers, uint64_t count, int64_t wanted) {
  // The private data of native code is not aligned.
  while (count > 0) {
    const uint64_t half = count / 2;
    int64_t middle;
    std::memcpy(&middle, numbers + half * sizeof(middle), sizeof(middle));
    if (middle == wanted) return true;
    if (middle < wanted) numbers += (half + 1) * sizeof(middle);
    count = middle < wanted ? count - half - 1 : half;
  }
  return false;
}
bool contains(const char* text, uint64_t size, const char* needle, uint64_t needle_size) {
  return contains_bytes(text, size, needle, needle_size);
}
uint64_t cost_of_contains(uint64_t size, uint64_t needle_size) { return contains_cost(size, needle_size); }
bool same_bytes(const char* a, const char* b, uint64_t size) { return size == 0 || std::memcmp(a, b, size) == 0; }
bool less_text(const char* a, uint64_t a_size, const char* b, uint64_t b_size) {
  return std::string_view(a, a_size) < std::string_view(b, b_size);
}
// @returns 0 or 1; 2 with the fault set
uint32_t equal_values(Frame* frame, const Value* a, const Value* b) {
  bool same = false;
  return equal(frame->eval, *a, *b, &same) ? static_cast<uint32_t>(same) : kFaulted;
}

// --- calls

bool call(Frame* frame, uint32_t import, const Value* args) {
  return call_overload(frame->eval, *frame->link->overloads[import], args, &frame->result);
}
bool call_by_kind(Frame* frame, uint32_t import, const Value* args) {
  return call_dynamic(frame->eval, *frame->link->functions[import], args, frame->data->imports[import].args,
                      &frame->result);
}
bool call_prepared(Frame* frame, uint32_t prepared, const Value* args) {
  return ops::call_prepared(frame->eval, frame->link->prepared[prepared], args, &frame->result);
}

// --- records, maps, lists

const Value* find_name(const MapRep* map, const char* name, uint64_t size) {
  return map_find(*map, std::string_view(name, size));
}
bool select(Frame* frame, const Value* operand, uint32_t field) {
  return ops::select(frame->eval, *operand, frame->facts.constants[field], &frame->result);
}
bool has_field(Frame* frame, const Value* operand, uint32_t field) {
  return ops::has_field(frame->eval, *operand, frame->facts.constants[field], &frame->result);
}
bool select_optional(Frame* frame, const Value* operand, uint32_t field) {
  return ops::select_optional(frame->eval, *operand, frame->facts.constants[field], &frame->result);
}
bool index(Frame* frame, const Value* operand, const Value* key) {
  return ops::index(frame->eval, *operand, *key, &frame->result);
}
bool index_optional(Frame* frame, const Value* operand, const Value* key) {
  return ops::index_optional(frame->eval, *operand, *key, &frame->result);
}
bool list_new(Frame* frame, uint32_t room, Value* builder) { return ops::list_new(frame->eval, room, builder); }
bool list_push(Frame* frame, Value* builder, const Value* element) {
  return ops::list_push(frame->eval, *builder, *element);
}
bool list_push_optional(Frame* frame, Value* builder, const Value* element) {
  return ops::list_push_optional(frame->eval, *builder, *element);
}
bool list_done(Frame* frame, const Value* builder) { return ops::list_done(frame->eval, *builder, &frame->result); }
bool map_new(Frame* frame, uint32_t room, Value* builder) { return ops::map_new(frame->eval, room, builder); }
bool map_put(Frame* frame, Value* builder, const Value* key, const Value* value) {
  return ops::map_put(frame->eval, *builder, *key, *value);
}
bool map_put_optional(Frame* frame, Value* builder, const Value* key, const Value* value) {
  return ops::map_put_optional(frame->eval, *builder, *key, *value);
}
bool map_merge(Frame* frame, Value* builder, const Value* map) { return ops::map_merge(frame->eval, *builder, *map); }
bool map_done(Frame* frame, const Value* builder) { return ops::map_done(frame->eval, *builder, &frame->result); }

// --- iteration

bool iter_size(Frame* frame, const Value* container) { return ops::iter_size(frame->eval, *container, &frame->result); }
void iter_item(Frame* frame, const Value* container, uint64_t at) {
  frame->result = ops::iter_item(*container, static_cast<int64_t>(at));
}
void iter_key(Frame* frame, const Value* container, uint64_t at) {
  frame->result = ops::iter_key(*container, static_cast<int64_t>(at));
}
void iter_value(Frame* frame, const Value* container, uint64_t at) {
  frame->result = ops::iter_value(*container, static_cast<int64_t>(at));
}

// --- shared lets

uint32_t recall(Frame* frame, uint32_t let) {
  return static_cast<uint32_t>(recall_let(frame->lets, frame->eval, let, &frame->result));
}
void remember(Frame* frame, uint32_t let, const Value* value) { remember_value(frame->lets, frame->eval, let, *value); }
void remember_fault_of(Frame* frame, uint32_t let) { remember_fault(frame->lets, frame->eval, let); }

template <typename F>
void* address_of(F* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace

std::span<const Helper> helpers() {
  static const Helper table[] = {
      {kInterpret.data(), "i:pi", address_of(interpret_again), true},
      {"ordain_renew", "v:p", address_of(renew)},
      {"ordain_put_location", "i:pi", address_of(put_location), true},
      {"ordain_fault", "i:pii", address_of(fault), true},
      {"ordain_absent", "i:pii", address_of(absent), true},
      {"ordain_exhausted", "i:pi", address_of(exhausted), true},
      {"ordain_fail", "i:piii", address_of(fail), true},
      {"ordain_save_fault", "v:pi", address_of(save_fault), true},
      {"ordain_raise_saved", "i:pi", address_of(raise_saved), true},
      {"ordain_load_absent", "b:pi", address_of(load_absent), true},
      {"ordain_make_optional", "b:pp", address_of(make_optional)},
      {"ordain_int_in", "b:pll", address_of(int_in)},
      {"ordain_contains", "b:plpl", address_of(contains)},
      {"ordain_contains_cost", "l:ll", address_of(cost_of_contains)},
      {"ordain_find_name", "p:ppl", address_of(find_name)},
      {"ordain_same_bytes", "b:ppl", address_of(same_bytes)},
      {"ordain_less_text", "b:plpl", address_of(less_text)},
      {"ordain_equal", "i:ppp", address_of(equal_values)},
      {"ordain_call", "b:pip", address_of(call)},
      {"ordain_call_dynamic", "b:pip", address_of(call_by_kind)},
      {"ordain_call_prepared", "b:pip", address_of(call_prepared)},
      {"ordain_select", "b:ppi", address_of(select)},
      {"ordain_has_field", "b:ppi", address_of(has_field)},
      {"ordain_select_optional", "b:ppi", address_of(select_optional)},
      {"ordain_index", "b:ppp", address_of(index)},
      {"ordain_index_optional", "b:ppp", address_of(index_optional)},
      {"ordain_list_new", "b:pip", address_of(list_new)},
      {"ordain_list_push", "b:ppp", address_of(list_push)},
      {"ordain_list_push_optional", "b:ppp", address_of(list_push_optional)},
      {"ordain_list_done", "b:pp", address_of(list_done)},
      {"ordain_map_new", "b:pip", address_of(map_new)},
      {"ordain_map_put", "b:pppp", address_of(map_put)},
      {"ordain_map_put_optional", "b:pppp", address_of(map_put_optional)},
      {"ordain_map_merge", "b:ppp", address_of(map_merge)},
      {"ordain_map_done", "b:pp", address_of(map_done)},
      {"ordain_iter_size", "b:pp", address_of(iter_size)},
      {"ordain_iter_item", "v:ppl", address_of(iter_item)},
      {"ordain_iter_key", "v:ppl", address_of(iter_key)},
      {"ordain_iter_value", "v:ppl", address_of(iter_value)},
      {"ordain_recall", "i:pi", address_of(recall)},
      {"ordain_remember", "v:pip", address_of(remember)},
      {"ordain_remember_fault", "v:pi", address_of(remember_fault_of), true},
  };
  return table;
}

}  // namespace ordain::native

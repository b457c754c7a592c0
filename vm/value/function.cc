// The function table. It reads signatures once, finds overloads by name, and chooses them by
// kinds where types are unknown.
#include "ordain/function.h"

#include <stdexcept>
#include <utility>

namespace ordain {
namespace {

[[noreturn]] void refuse(const Overload& overload, const std::string& why) {
  throw std::invalid_argument("function " + overload.name + " (" + overload.id + "): " + why);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Finds the '(' that matches the ')' at the end of `text`; npos if there is none.
size_t opening(std::string_view text) {
  int depth = 0;
  for (size_t at = text.size(); at-- > 0;) {
    if (text[at] == ')') ++depth;
    if (text[at] == '(' && --depth == 0) return at;
  }
  return std::string_view::npos;
}

// Splits "int, map(K, V)" at the commas that no parenthesis encloses.
std::vector<std::string_view> split_params(std::string_view text) {
  std::vector<std::string_view> out;
  if (trim(text).empty()) return out;
  int depth = 0;
  size_t start = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')') --depth;
    if (text[at] == ',' && depth == 0) {
      out.push_back(text.substr(start, at - start));
      start = at + 1;
    }
  }
  out.push_back(text.substr(start));
  return out;
}

const Type* parse_part(Arena& arena, const Overload& overload, std::string_view text) {
  const Type* type = parse_type(arena, text);
  if (type == nullptr) refuse(overload, "no such type: `" + std::string(trim(text)) + "` in " + overload.signature);
  return type;
}

// Signature := [ Type '.' ] '(' [ Type { ',' Type } ] ')' '->' Type
void parse_signature(Arena& arena, Overload& overload) {
  std::string_view text = overload.signature;
  size_t arrow = text.find("->");
  if (arrow == std::string_view::npos) refuse(overload, "no `->` in signature `" + overload.signature + "`");
  std::string_view left = trim(text.substr(0, arrow));
  size_t open = left.ends_with(')') ? opening(left) : std::string_view::npos;
  if (open == std::string_view::npos) refuse(overload, "no parameter list in signature `" + overload.signature + "`");
  std::string_view receiver = trim(left.substr(0, open));
  overload.params.clear();
  overload.member = !receiver.empty();
  if (overload.member) {
    if (!receiver.ends_with('.')) refuse(overload, "no `.` after the receiver in `" + overload.signature + "`");
    receiver.remove_suffix(1);
    overload.params.push_back(parse_part(arena, overload, receiver));
  }
  for (std::string_view param : split_params(left.substr(open + 1, left.size() - open - 2))) {
    overload.params.push_back(parse_part(arena, overload, param));
  }
  overload.result = parse_part(arena, overload, text.substr(arrow + 2));
}

}  // namespace

void FunctionTable::add(Overload overload) {
  if (overload.name.empty()) refuse(overload, "no name");
  if (overload.id.empty()) refuse(overload, "no id");
  if (by_id_.contains(overload.id)) refuse(overload, "the id is already taken");
  parse_signature(types_, overload);
  int arg = overload.preparation.arg;
  if (arg >= 0 && (static_cast<size_t>(arg) >= overload.params.size() || overload.preparation.prepare == nullptr ||
                   overload.preparation.call == nullptr)) {
    refuse(overload, "a preparation needs one of the parameters, and `prepare` and `call`");
  }
  const Overload& row = *rows_.emplace_back(std::make_unique<Overload>(std::move(overload)));
  by_id_.emplace(row.id, &row);
  Function& function = functions_[row.name];
  function.name = row.name;
  function.overloads.push_back(&row);
}

const Function* FunctionTable::find(std::string_view name) const& {
  auto at = functions_.find(name);
  return at == functions_.end() ? nullptr : &at->second;
}

const Overload* FunctionTable::find_overload(std::string_view id) const& {
  auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : at->second;
}

bool accepts(const Overload& overload, const Value* args, size_t count) {
  if (overload.params.size() != count) return false;
  for (size_t n = 0; n < count; ++n) {
    Kind kind = kind_of(*overload.params[n]);
    if (kind == Kind::absent ? !args[n].present() : args[n].kind != kind) return false;
  }
  return true;
}

bool call_dynamic(Eval& eval, const Function& function, const Value* args, size_t count, Value* result) {
  for (const Overload* overload : function.overloads) {
    if (overload->call != nullptr && (overload->flags & kTypedElements) == 0 && accepts(*overload, args, count)) {
      return call_overload(eval, *overload, args, result);
    }
  }
  return eval.fail(FaultCode::no_such_overload, Value::string(function.name));
}

}  // namespace ordain

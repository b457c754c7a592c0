// keys.cc writes keys: a letter for each kind of node, then what distinguishes nodes of the kind. Texts
// are preceded by their length, so that no text can be taken for something else.
#include "compiler/lint/keys.h"

#include <bit>
#include <cstdint>
#include <string_view>

namespace ordain::lint {
namespace {

using typed::Node;
using typed::NodeKind;

// Longer constant lists are named by their memory: they come from one `let`, or are taken to differ.
constexpr size_t kMostElements = 32;

class KeyWriter {
 public:
  explicit KeyWriter(size_t most_nodes) : nodes_left_(most_nodes) {}

  bool write(const Node& node) {
    if (nodes_left_ == 0) return false;
    --nodes_left_;
    switch (node.kind) {
      case NodeKind::constant:
        return constant(node.value);
      case NodeKind::slot:
        return number('s', node.slot);
      case NodeKind::has_slot:
        return number('h', node.slot);
      case NodeKind::optional_slot:
        return number('o', node.slot);
      case NodeKind::local:
        return number('v', node.local);
      case NodeKind::fail:
        return false;
      default:
        return operation(node);
    }
  }

  std::string take() { return std::move(out_); }

 private:
  bool number(char kind, uint64_t value) {
    out_ += kind;
    out_ += std::to_string(value);
    out_ += ';';
    return true;
  }

  bool text(char kind, std::string_view text) {
    number(kind, text.size());
    out_ += text;
    return true;
  }

  bool constant(const Value& value) {
    switch (value.kind) {
      case Kind::null:
        return number('N', 0);
      case Kind::boolean:
        return number('B', value.as_bool() ? 1 : 0);
      case Kind::integer:
        return number('I', static_cast<uint64_t>(value.i));
      case Kind::unsigned_integer:
        return number('U', value.u);
      case Kind::floating:
        return number('D', std::bit_cast<uint64_t>(value.d));
      case Kind::string:
        return text('S', value.as_text());
      case Kind::bytes:
        return text('Y', value.as_text());
      case Kind::type:
        return text('T', value.as_text());
      case Kind::timestamp:
        number('Z', static_cast<uint64_t>(value.i));
        return number('n', value.aux);
      case Kind::duration:
        number('P', static_cast<uint64_t>(value.i));
        return number('n', value.aux);
      case Kind::list:
        return list(value);
      case Kind::map:
        return number('M', reinterpret_cast<uintptr_t>(value.map));
      default:
        return false;
    }
  }

  bool list(const Value& value) {
    number('L', value.aux);
    if (value.aux > kMostElements) return number('@', reinterpret_cast<uintptr_t>(value.items));
    for (const Value& element : value.as_list()) {
      if (nodes_left_ == 0) return false;
      --nodes_left_;
      if (!constant(element)) return false;
    }
    return true;
  }

  bool operation(const Node& node) {
    number('(', static_cast<uint64_t>(node.kind));
    if (node.kind == NodeKind::loop) number('k', static_cast<uint64_t>(node.loop));
    if (node.local != kNone) number('a', node.local);
    if (node.local2 != kNone) number('b', node.local2);
    if (!node.field.empty()) text('f', node.field);
    if (node.overload != nullptr) {
      text('c', node.overload->id);
    } else if (node.function != nullptr) {
      text('d', node.function->name);
    } else if (node.kind == NodeKind::call) {
      return false;
    }
    for (size_t i = 0; i < node.args.size(); ++i) {
      if (i < node.optionals.size() && node.optionals[i]) out_ += '?';
      if (!write(*node.args[i])) return false;
    }
    out_ += ')';
    return true;
  }

  std::string out_;
  size_t nodes_left_;
};

}  // namespace

std::string key_of(const Node& node, size_t most_nodes) {
  KeyWriter writer(most_nodes);
  return writer.write(node) ? writer.take() : std::string();
}

}  // namespace ordain::lint

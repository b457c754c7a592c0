// json_schema.cc reads schemas: types, enumerations, bounds, unions, and references within the document.
#include "import/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "import/policy_text.h"
#include "ordain/terminal_text.h"

namespace ordain::importer {
namespace {

constexpr int kDeepestSchema = 24;
constexpr size_t kMostParts = 64;         // of one value: references and `allOf`
constexpr size_t kMostNotes = 40;         // different ones
constexpr size_t kLongestShown = 64;      // bytes of a key in a message
constexpr size_t kCommentColumns = 88;    // of a description's line
constexpr size_t kLongestComment = 2000;  // bytes of a description

enum class Keyword : uint8_t { read, annotation, unchecked, unknown };

// What the reader does with a keyword. Annotations say nothing about values; `in` and `name` are of parameters of
// Swagger, which are schemas too.
Keyword keyword_named(std::string_view name) {
  static constexpr std::string_view kRead[] = {"$ref",
                                               "additionalProperties",
                                               "allOf",
                                               "anyOf",
                                               "const",
                                               "enum",
                                               "exclusiveMaximum",
                                               "exclusiveMinimum",
                                               "items",
                                               "maxItems",
                                               "maxLength",
                                               "maxProperties",
                                               "maximum",
                                               "minItems",
                                               "minLength",
                                               "minProperties",
                                               "minimum",
                                               "nullable",
                                               "oneOf",
                                               "properties",
                                               "required",
                                               "type"};
  static constexpr std::string_view kAnnotations[] = {"$anchor",
                                                      "$comment",
                                                      "$defs",
                                                      "$id",
                                                      "$schema",
                                                      "$vocabulary",
                                                      "components",
                                                      "contentEncoding",
                                                      "contentMediaType",
                                                      "default",
                                                      "definitions",
                                                      "deprecated",
                                                      "description",
                                                      "discriminator",
                                                      "example",
                                                      "examples",
                                                      "externalDocs",
                                                      "format",
                                                      "id",
                                                      "readOnly",
                                                      "strict",
                                                      "title",
                                                      "writeOnly",
                                                      "xml",
                                                      "in",
                                                      "name",
                                                      "collectionFormat"};
  static constexpr std::string_view kUnchecked[] = {"contains",
                                                    "dependentRequired",
                                                    "dependentSchemas",
                                                    "dependencies",
                                                    "else",
                                                    "if",
                                                    "maxContains",
                                                    "minContains",
                                                    "multipleOf",
                                                    "not",
                                                    "pattern",
                                                    "patternProperties",
                                                    "prefixItems",
                                                    "propertyNames",
                                                    "then",
                                                    "unevaluatedItems",
                                                    "unevaluatedProperties",
                                                    "uniqueItems"};
  const auto holds = [name](const auto& names) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  if (holds(kRead)) return Keyword::read;
  if (holds(kAnnotations) || name.starts_with("x-")) return Keyword::annotation;
  return holds(kUnchecked) ? Keyword::unchecked : Keyword::unknown;
}

std::string shown(std::string_view text) {
  const bool cut = text.size() > kLongestShown;
  return terminal_text(text.substr(0, kLongestShown)) + (cut ? "..." : "");
}

bool is_text(const Value* value) { return value != nullptr && value->is(Kind::string); }
bool is_list(const Value* value) { return value != nullptr && value->is(Kind::list); }
bool is_map(const Value* value) { return value != nullptr && value->is(Kind::map); }
bool is_true(const Value* value) { return value != nullptr && value->is(Kind::boolean) && value->as_bool(); }
bool is_false(const Value* value) { return value != nullptr && value->is(Kind::boolean) && !value->as_bool(); }

std::optional<double> number_of(const Value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is(Kind::integer)) return static_cast<double>(value->i);
  if (value->is(Kind::unsigned_integer)) return static_cast<double>(value->u);
  if (value->is(Kind::floating) && std::isfinite(value->d)) return value->d;
  return std::nullopt;
}

// A whole number that is not negative, such as a size.
std::optional<uint64_t> count_of(const Value* value) {
  const std::optional<double> number = number_of(value);
  if (!number || *number < 0 || *number > 9e15 || std::trunc(*number) != *number) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

// The name of a field as policy text; "" if no field can have it.
std::string field_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool word = !name.empty() && letter(name[0]) &&
                    std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
  const bool operator_like = name == "true" || name == "false" || name == "null" || name == "in";
  if (word && !operator_like) return std::string(name);
  const bool quotable = !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || digit(c) || c == '/' || c == '-' || c == ' ';
  });
  return quotable ? fmt::format("`{}`", name) : "";
}

// A description as comments: in lines of moderate length, on which nothing is hidden and nothing is an instruction to
// the compiler.
void append_description(std::string& out, std::string_view description) {
  std::string line;
  const auto end_line = [&] {
    if (line.empty()) return;
    out += "// ";
    if (line.starts_with("ordain:")) out += "- ";
    out += terminal_text(line);
    out += '\n';
    line.clear();
  };
  description = description.substr(0, kLongestComment);
  for (size_t at = 0; at < description.size();) {
    const size_t end = std::min(description.find_first_of(" \t\r\n", at), description.size());
    const std::string_view word = description.substr(at, end - at);
    if (!line.empty() && line.size() + 1 + word.size() > kCommentColumns) end_line();
    if (!word.empty()) (line += line.empty() ? "" : " ") += word;
    if (end < description.size() && description[end] == '\n') end_line();
    at = end + 1;
  }
  end_line();
}

void append_size(std::string& out, std::string_view name, std::optional<uint64_t> size) {
  if (!size) return;
  out += out.empty() ? "" : ", ";
  out += fmt::format("{} {}", name, *size);
}

}  // namespace

std::string SchemaPlace::text() const {
  std::vector<const SchemaPlace*> chain;
  for (const SchemaPlace* at = this; at != nullptr; at = at->outer) chain.push_back(at);
  std::string out;
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    const bool element = (*at)->name.data() == nullptr;
    if (element && *at == chain.back()) continue;  // the document itself
    if (element) {
      out += fmt::format("[{}]", (*at)->index);
    } else {
      (out += out.empty() ? "" : ".") += shown((*at)->name);
    }
  }
  return out.empty() ? "the document" : out;
}

void SchemaNotes::add(std::string message, const SchemaPlace& place) {
  const auto known = notes_.find(message);
  if (known != notes_.end()) {
    ++known->second.count;
  } else if (notes_.size() < kMostNotes) {
    notes_.emplace(std::move(message), Note{place.text(), 1});
  } else {
    ++left_out_;
  }
}

void SchemaNotes::report(Diagnostics& diagnostics) const {
  for (const auto& [message, note] : notes_) {
    const std::string more = note.count > 1 ? fmt::format(", and {} more", note.count - 1) : "";
    diagnostics.warning("schema-not-checked", Span{}, fmt::format("{} ({}{})", message, note.place, more));
  }
  if (left_out_ > 0) diagnostics.warning("schema-not-checked", Span{}, fmt::format("{} more warnings", left_out_));
}

const Value* member(const Value& object, std::string_view key) {
  return object.is(Kind::map) ? map_find(*object.map, key) : nullptr;
}

bool SchemaReader::spend(uint64_t work) {
  work_left_ -= std::min(work_left_, work);
  return work_left_ > 0;
}

// --- references

// Finds what `#/a/b` names. In a segment, `~1` is a slash, `~0` a tilde, and `%41` a byte.
const Value* SchemaReader::resolve(std::string_view reference) {
  if (!reference.starts_with('#') || !spend(1 + reference.size() / 16)) return nullptr;
  const Value* at = &document_;
  for (size_t begin = 1; begin < reference.size();) {
    if (reference[begin] != '/') return nullptr;
    const size_t end = std::min(reference.find('/', begin + 1), reference.size());
    std::string segment;
    for (size_t i = begin + 1; i < end; ++i) {
      const char c = reference[i];
      unsigned byte = 0;
      const char* digits = reference.data() + i + 1;
      if (c == '%' && i + 2 < end && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
        segment += static_cast<char>(byte);
        i += 2;
      } else if (c == '~' && i + 1 < end) {
        segment += reference[++i] == '1' ? '/' : '~';
      } else {
        segment += c;
      }
    }
    if (at->is(Kind::list)) {
      size_t index = 0;
      const auto [rest, wrong] = std::from_chars(segment.data(), segment.data() + segment.size(), index);
      if (wrong != std::errc() || rest != segment.data() + segment.size() || index >= at->aux) return nullptr;
      at = &at->items[index];
    } else {
      at = member(*at, segment);
    }
    if (at == nullptr) return nullptr;
    begin = end;
  }
  return at;
}

const Value* SchemaReader::follow(const Value& value, const SchemaPlace& place) {
  const Value* at = &value;
  for (size_t hops = 0; hops < kMostParts; ++hops) {
    const Value* reference = member(*at, "$ref");
    if (!is_text(reference)) return at;
    at = resolve(reference->as_text());
    if (at == nullptr) break;
  }
  notes_.add("a `$ref` leads out of the document, or nowhere: what it names is not checked", place);
  return nullptr;
}

// @returns false if it is not known what the value may be
bool SchemaReader::collect(const Value& schema, View& view, const SchemaPlace& place) {
  if (!schema.is(Kind::map)) return schema.is(Kind::boolean);  // `true`, which says nothing
  if (view.size() >= kMostParts || !spend(1 + followed_.size() / 8)) return false;
  view.push_back(schema.map);
  if (const Value* reference = map_find(*schema.map, "$ref"); is_text(reference)) {
    const Value* target = resolve(reference->as_text());
    if (target == nullptr) {
      notes_.add("a `$ref` leads out of the document, or nowhere: what it names is not checked", place);
      return false;
    }
    if (!target->is(Kind::map)) return target->is(Kind::boolean);
    if (target->map == schema.map || std::find(followed_.begin(), followed_.end(), target->map) != followed_.end()) {
      notes_.add("a schema contains itself: what is inside is not checked", place);
      return false;
    }
    followed_.push_back(target->map);
    if (!collect(*target, view, place)) return false;
  }
  if (const Value* parts = map_find(*schema.map, "allOf"); is_list(parts)) {
    for (const Value& part : parts->as_list()) {
      if (!collect(part, view, place)) return false;
    }
  }
  return true;
}

const Value* SchemaReader::find(const View& view, std::string_view key) {
  for (const MapRep* part : view) {
    if (const Value* found = map_find(*part, key)) return found;
  }
  return nullptr;
}

// --- unions

SchemaReader::Typed SchemaReader::dyn() {
  Typed out;
  out.anything = true;
  return out;
}

// Adds one type to a union, in which none includes another.
void SchemaReader::add(Typed& out, Option option) {
  const bool included = std::find(out.wide_kinds.begin(), out.wide_kinds.end(), option.kind) != out.wide_kinds.end();
  if (included || !out.seen.insert(option.text).second) return;
  if (option.wide) {
    std::erase_if(out.options, [&](const Option& known) { return known.kind == option.kind; });
    out.wide_kinds.push_back(option.kind);
  }
  out.options.push_back(std::move(option));
}

// A union has single values only; with a list or a record in it, anything fits.
void SchemaReader::join(Typed& out, Typed other) {
  out.nullable = out.nullable || other.nullable;
  if (other.anything || ((out.compound || other.compound) && !out.options.empty() && !other.options.empty())) {
    out.anything = true;
  }
  out.compound = out.compound || other.compound;
  for (Option& option : other.options) add(out, std::move(option));
}

std::string SchemaReader::text_of_options(const Typed& typed) {
  if (typed.anything) return "dyn";
  std::string out;
  for (const Option& option : typed.options) (out += out.empty() ? "" : " | ") += option.text;
  if (out.empty()) return typed.nullable ? "null_type" : "dyn";
  return out;
}

std::string SchemaReader::field_text(const Typed& typed, bool required) {
  const std::string text = text_of_options(typed);
  if (!required) return fmt::format("optional({})", text);
  if (!typed.nullable || typed.anything || typed.options.empty()) return text;
  return typed.compound ? fmt::format("optional({})", text) : text + " | null_type";
}

// --- schemas

std::string SchemaReader::field_type(const Value& schema, const SchemaPlace& place, bool required) {
  return field_text(read(schema, place, 0), required);
}

SchemaReader::Typed SchemaReader::read(const Value& schema, const SchemaPlace& place, int depth) {
  if (depth > kDeepestSchema) {
    notes_.add(fmt::format("schemas nested deeper than {} levels are not checked", kDeepestSchema), place);
    return dyn();
  }
  const size_t before = followed_.size();
  View view;
  const bool known = collect(schema, view, place);
  Typed out = known && !view.empty() ? of_view(view, place, depth) : dyn();
  followed_.resize(before);
  return out;
}

// Notes what the type will not say. @returns whether a keyword is unknown
bool SchemaReader::note_keywords(const View& view, const SchemaPlace& place, bool combined) {
  bool unknown = false;
  for (const MapRep* part : view) {
    if (!spend(1 + part->count)) return true;
    for (const MapEntry& entry : part->all()) {
      if (!entry.key.is(Kind::string)) continue;
      const std::string_view name = entry.key.as_text();
      const Keyword keyword = keyword_named(name);
      if (keyword == Keyword::unchecked || (combined && (name == "anyOf" || name == "oneOf"))) {
        notes_.add(fmt::format("`{}` is not checked", name), place);
      }
      if (keyword == Keyword::unknown) {
        notes_.add(fmt::format("`{}` is not a keyword that is known", shown(name)), place);
        unknown = true;
      }
    }
  }
  return unknown;
}

SchemaReader::Typed SchemaReader::of_view(const View& view, const SchemaPlace& place, int depth) {
  const Value* type = find(view, "type");
  const bool object = find(view, "properties") != nullptr || find(view, "additionalProperties") != nullptr;
  const Value* alternatives = find(view, "anyOf");
  if (alternatives == nullptr) alternatives = find(view, "oneOf");
  const bool combined = alternatives != nullptr && (type != nullptr || object);
  const bool unknown = note_keywords(view, place, combined);
  Typed out;
  out.nullable = is_true(find(view, "nullable"));
  if (is_list(alternatives) && !combined) {
    join(out, any_of(*alternatives, place, depth));
  } else if (find(view, "enum") != nullptr || find(view, "const") != nullptr) {
    if (!add_values(out, view, place)) out.anything = true;
  } else if (is_text(type)) {
    add_named(out, type->as_text(), view, place, depth, unknown);
  } else if (is_list(type)) {
    for (const Value& each : type->as_list()) {
      Typed one;
      add_named(one, each.is(Kind::string) ? each.as_text() : "", view, place, depth, unknown);
      join(out, std::move(one));
      if (!spend(1)) return dyn();
    }
  } else if (object) {
    add_named(out, "object", view, place, depth, unknown);
  } else if (find(view, "items") != nullptr) {
    add_named(out, "array", view, place, depth, unknown);
  } else {
    out.anything = true;
  }
  return out;
}

SchemaReader::Typed SchemaReader::any_of(const Value& schemas, const SchemaPlace& place, int depth) {
  Typed out;
  for (const Value& schema : schemas.as_list()) join(out, read(schema, place, depth + 1));
  if (out.anything) notes_.add("alternatives that are not all single values: anything fits", place);
  return out;
}

bool SchemaReader::add_value(Typed& out, const Value& value) {
  switch (value.kind) {
    case Kind::null:
      out.nullable = true;
      return true;
    case Kind::boolean:
      add(out, {"bool", value.as_bool() ? "true" : "false"});
      return true;
    case Kind::string:
      add(out, {"string", quote(value.as_text())});
      return spend(1 + value.aux / 16);
    case Kind::integer:
      add(out, {"int", std::to_string(value.i)});
      return true;
    case Kind::floating:
      if (std::trunc(value.d) != value.d || std::abs(value.d) > 9e15) return false;
      add(out, {"int", std::to_string(static_cast<int64_t>(value.d))});
      return true;
    default:
      return false;
  }
}

// @returns false if the values are not all of kinds that an enumeration has
bool SchemaReader::add_values(Typed& out, const View& view, const SchemaPlace& place) {
  bool good = true;
  if (const Value* only = find(view, "const")) {
    good = add_value(out, *only);
  } else if (const Value* values = find(view, "enum"); is_list(values)) {
    for (const Value& value : values->as_list()) good = good && spend(1) && add_value(out, value);
  } else {
    good = false;
  }
  if (!good) notes_.add("an enumeration of other values than texts, whole numbers and truth values", place);
  return good;
}

void SchemaReader::add_named(Typed& out, std::string_view name, const View& view, const SchemaPlace& place, int depth,
                             bool unknown) {
  const auto add_text = [&](std::string_view kind, std::string text) {
    const bool wide = text == kind;
    add(out, {kind, std::move(text), wide});
  };
  if (name == "null") {
    out.nullable = true;
  } else if (name == "boolean") {
    add_text("bool", "bool");
  } else if (name == "string") {
    const std::string limits = sizes(view, "minLength", "maxLength");
    add_text("string", limits.empty() ? "string" : fmt::format("string({})", limits));
  } else if (name == "integer") {
    add_text("int", integer(view, place));
  } else if (name == "number") {
    add_text("double", real(view, place));
  } else if (name == "array" || name == "object") {
    out.compound = true;
    out.options.push_back(
        {"compound", name == "array" ? list(view, place, depth) : object(view, place, depth, unknown, false)});
  } else {
    notes_.add(fmt::format("`{}` is not a type of JSON Schema", shown(name)), place);
    out.anything = true;
  }
}

// --- limits

std::string SchemaReader::sizes(const View& view, std::string_view least, std::string_view most) {
  std::optional<uint64_t> low = count_of(find(view, least));
  const std::optional<uint64_t> high = count_of(find(view, most));
  if (low && (*low == 0 || (high && *low > *high))) low.reset();
  std::string out;
  append_size(out, "min", low);
  append_size(out, "max", high);
  return out;
}

namespace {

// A bound, of which draft 4 says in a second keyword that it is excluded.
struct Bound {
  std::optional<double> value;
  bool excluded = false;
};

Bound read_bound(const Value* included, const Value* excluded, bool lower) {
  Bound out{number_of(included), is_true(excluded)};
  const std::optional<double> other = number_of(excluded);
  if (other && (!out.value || (lower ? *other >= *out.value : *other <= *out.value))) out = {other, true};
  return out;
}

std::string bounded(std::string_view type, const std::string& low, const std::string& high) {
  if (low.empty() && high.empty()) return std::string(type);
  if (high.empty()) return fmt::format("{}(min {})", type, low);
  if (low.empty()) return fmt::format("{}(max {})", type, high);
  return fmt::format("{}({}, {})", type, low, high);
}

}  // namespace

std::string SchemaReader::integer(const View& view, const SchemaPlace& place) {
  constexpr double kExact = 9007199254740991.0;  // larger bounds are left out
  const Bound low = read_bound(find(view, "minimum"), find(view, "exclusiveMinimum"), true);
  const Bound high = read_bound(find(view, "maximum"), find(view, "exclusiveMaximum"), false);
  std::optional<int64_t> least, most;
  if (low.value && std::abs(*low.value) < kExact) {
    const double whole = std::ceil(*low.value);
    least = static_cast<int64_t>(whole) + (low.excluded && whole == *low.value ? 1 : 0);
  }
  if (high.value && std::abs(*high.value) < kExact) {
    const double whole = std::floor(*high.value);
    most = static_cast<int64_t>(whole) - (high.excluded && whole == *high.value ? 1 : 0);
  }
  if (least && most && *least > *most) {
    notes_.add("bounds that no number meets are not checked", place);
    return "int";
  }
  return bounded("int", least ? std::to_string(*least) : "", most ? std::to_string(*most) : "");
}

std::string SchemaReader::real(const View& view, const SchemaPlace& place) {
  const Bound low = read_bound(find(view, "minimum"), find(view, "exclusiveMinimum"), true);
  const Bound high = read_bound(find(view, "maximum"), find(view, "exclusiveMaximum"), false);
  if ((low.value && low.excluded) || (high.value && high.excluded)) {
    notes_.add("a bound of a number is taken for included, although the schema excludes it", place);
  }
  const auto written = [](const Bound& bound) { return bound.value ? number(*bound.value) : std::string(); };
  if (low.value && high.value && *low.value > *high.value) {
    notes_.add("bounds that no number meets are not checked", place);
    return "double";
  }
  return bounded("double", written(low), written(high));
}

// --- lists and objects

std::string SchemaReader::list(const View& view, const SchemaPlace& place, int depth) {
  const Value* items = find(view, "items");
  std::string element = "dyn";
  if (is_map(items)) {
    const Typed typed = read(*items, place.key("items"), depth + 1);
    element = text_of_options(typed);
    if (typed.nullable && !typed.anything && !typed.options.empty()) {
      element = typed.compound ? "dyn" : element + " | null_type";
    }
  } else if (is_list(items)) {
    notes_.add("`items` of a tuple is not checked", place);
  }
  const std::string limits = sizes(view, "minItems", "maxItems");
  return limits.empty() ? fmt::format("list({})", element) : fmt::format("list({}, {})", element, limits);
}

std::string SchemaReader::map(const View& view, const SchemaPlace& place, int depth) {
  const Value* further = find(view, "additionalProperties");
  std::string value = "dyn";
  if (is_map(further)) {
    const Typed typed = read(*further, place.key("additionalProperties"), depth + 1);
    value = text_of_options(typed);
    if (typed.nullable && !typed.anything && !typed.options.empty()) {
      value = typed.compound ? "dyn" : value + " | null_type";
    }
  }
  const std::string limits = sizes(view, "minProperties", "maxProperties");
  return limits.empty() ? fmt::format("map(string, {})", value) : fmt::format("map(string, {}, {})", value, limits);
}

std::string record_of(std::string fields, bool open) {
  const bool commented = fields.starts_with("//") || fields.find("\n//") != std::string::npos;
  if (!commented && fields.ends_with(",\n")) fields.resize(fields.size() - 2);
  return fmt::format("{}{{{}{}}}", open ? "open " : "", fields.empty() ? "" : "\n", fields);
}

bool SchemaReader::append_field(std::string& out, std::string_view name, std::string_view description,
                                const std::string& type) {
  const std::string written = field_name(name);
  if (written.empty()) return false;
  append_description(out, description);
  out += fmt::format("{}: {},\n", written, type);
  return true;
}

// The fields of a record, each on a line of its own.
std::string SchemaReader::fields(const View& view, const SchemaPlace& place, int depth, bool* all_declared) {
  std::unordered_set<std::string_view> required, seen;
  std::vector<std::string_view> names_required;
  for (const MapRep* part : view) {
    const Value* names = map_find(*part, "required");
    if (!is_list(names) || !spend(1 + names->aux)) continue;
    for (const Value& name : names->as_list()) {
      if (name.is(Kind::string) && required.insert(name.as_text()).second) names_required.push_back(name.as_text());
    }
  }
  std::string out;
  const auto note_name = [&](std::string_view name, const SchemaPlace& at) {
    *all_declared = false;
    notes_.add(fmt::format("a field cannot be named `{}`, so its record is open", shown(name)), at);
  };
  const SchemaPlace properties_place = place.key("properties");
  for (const MapRep* part : view) {
    const Value* properties = map_find(*part, "properties");
    if (!is_map(properties)) continue;
    for (const MapEntry& entry : properties->map->all()) {
      if (!entry.key.is(Kind::string) || !seen.insert(entry.key.as_text()).second) continue;
      const std::string_view name = entry.key.as_text();
      const SchemaPlace at = properties_place.key(name);
      const Value* description = member(entry.value, "description");
      const std::string type = field_text(read(entry.value, at, depth + 1), required.contains(name));
      spend(1 + name.size() / 8 + type.size() / 8 + (is_text(description) ? description->aux / 8 : 0));
      if (!append_field(out, name, is_text(description) ? description->as_text() : "", type)) note_name(name, at);
      if (work_left_ == 0) return out;
    }
  }
  for (const std::string_view name : names_required) {
    if (seen.contains(name)) continue;
    if (!append_field(out, name, "", "dyn")) note_name(name, place);
  }
  return out;
}

std::string SchemaReader::object(const View& view, const SchemaPlace& place, int depth, bool unknown, bool top) {
  const Value* further = find(view, "additionalProperties");
  bool all_declared = true;
  const std::string inside = fields(view, place, depth, &all_declared);
  const bool described = find(view, "properties") != nullptr || !inside.empty() || is_false(further);
  if (!described && !top) return map(view, place, depth);
  const bool open = unknown || !all_declared || !described || is_true(further) || is_map(further) ||
                    (further == nullptr && open_) || find(view, "patternProperties") != nullptr;
  return record_of(inside, open);
}

std::string SchemaReader::record(const Value& schema, const SchemaPlace& place, bool open) {
  open_ = open;
  const size_t before = followed_.size();
  View view;
  const bool known = collect(schema, view, place) && !view.empty();
  const Value* type = known ? find(view, "type") : nullptr;
  const bool object_like = known && (type == nullptr || (type->is(Kind::string) && type->as_text() == "object"));
  const Value* alternatives = object_like ? find(view, "anyOf") : nullptr;
  if (object_like && alternatives == nullptr) alternatives = find(view, "oneOf");
  std::string out = "open {}";
  if (!object_like) {
    notes_.add("a schema that does not describe an object: its record is open", place);
  } else {
    const bool unknown = note_keywords(view, place, true) || alternatives != nullptr;
    out = object(view, place, 0, unknown, true);
  }
  followed_.resize(before);
  return out;
}

}  // namespace ordain::importer

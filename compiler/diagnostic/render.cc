// render.cc writes diagnostics for a terminal and as JSON. Policy text and messages may contain
// anything, so all of it passes through `terminal_text` on its way to a terminal.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "compiler/diagnostic/line_map.h"
#include "ordain/diagnostic.h"
#include "ordain/json.h"
#include "ordain/terminal_text.h"
#include "ordain/utf8.h"
#include "vm/value/code_point.h"

namespace ordain {
namespace {

constexpr size_t kWidest = 110;  // columns of a source line that are shown whole, where no width is given
constexpr size_t kLeast = 20;    // even on a narrower terminal
constexpr size_t kTab = 8;       // the most columns that a tab takes
// More bytes than these for each column are characters without width, heaped on others. They are cut.
constexpr size_t kBytesOfAColumn = 8;
constexpr std::string_view kCut = "...";

// One character of a line: its bytes, and the number of columns that it takes.
struct Glyph {
  std::string bytes;
  size_t width = 1;
};

// @returns the character at the start of `text` (not empty). What cannot be shown is as wide as its
// escape; a tab stays, because the line of carets repeats it.
Glyph next_glyph(std::string_view text, size_t* length) {
  const detail::CodePoint point = detail::code_point_at(text, 0);
  *length = std::max<size_t>(point.length, 1);
  const std::string_view bytes = text.substr(0, *length);
  if (bytes == "\t") return {"\t", 1};
  std::string shown = terminal_text(bytes);
  if (shown != bytes) return {shown, shown.size()};
  return {std::move(shown), detail::columns_of(point.value)};
}

struct Style {
  const char* severity[3] = {"", "", ""};
  const char* strong = "";
  const char* frame = "";
  const char* off = "";
};
constexpr Style kPlain{};
constexpr Style kColoured{{"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;36m"}, "\x1b[1m", "\x1b[1;34m", "\x1b[0m"};

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    default:
      return "note";
  }
}

// The lines of the sources. Each source is read once, when the first diagnostic of it is written.
class Lines {
 public:
  explicit Lines(const Diagnostics& diagnostics) : sources_(diagnostics.sources), maps_(sources_.size()) {}

  const LineMap& of(uint32_t file) {
    std::optional<LineMap>& map = maps_[file];
    if (!map) map.emplace(*sources_[file]);
    return *map;
  }

 private:
  const std::vector<std::shared_ptr<const Source>>& sources_;
  std::vector<std::optional<LineMap>> maps_;
};

class Renderer {
 public:
  Renderer(const Diagnostics& diagnostics, const Style& style, size_t width)
      : diagnostics_(diagnostics), lines_(diagnostics), style_(style), width_(width) {}

  void add(const Diagnostic& item) {
    const Source* source = source_of(item.span);
    // A file that cannot be read, or is empty, has no line to show.
    bool has_text = source != nullptr && !source->text.empty();
    if (source != nullptr) {
      LineColumn place = lines_.of(item.span.file).at(item.span.begin);
      out_ += style_.strong;
      out_ += terminal_text(source->path) + ":";
      if (has_text) out_ += std::to_string(place.line) + ":" + std::to_string(place.column) + ":";
      out_ += style_.off;
      out_ += " ";
    }
    out_ += style_.severity[static_cast<size_t>(item.severity)];
    out_ += name_of(item.severity);
    if (!item.code.empty()) out_ += "[" + terminal_text(item.code) + "]";
    out_ += style_.off;
    out_ += ": ";
    out_ += style_.strong;
    out_ += terminal_text(item.message);
    out_ += style_.off;
    out_ += "\n";
    size_t margin = 3;
    if (has_text) margin = source_line(*source, item);
    if (!item.help.empty()) {
      out_ += std::string(margin, ' ') + style_.frame + "= " + style_.off + "help: " + terminal_text(item.help) + "\n";
    }
    for (const Diagnostic& note : item.notes) add(note);
  }

  std::string take() { return std::move(out_); }

 private:
  const Source* source_of(Span span) const {
    return span.file < diagnostics_.sources.size() ? diagnostics_.sources[span.file].get() : nullptr;
  }

  // Writes the line that contains the start of the place, and carets below it. @returns the width
  // of the margin.
  size_t source_line(const Source& source, const Diagnostic& item) {
    const LineMap& lines = lines_.of(item.span.file);
    const auto offset = static_cast<uint32_t>(std::min<size_t>(item.span.begin, source.text.size()));
    const std::string_view line = lines.line(offset);
    const auto line_begin = static_cast<size_t>(line.data() - source.text.data());
    const size_t begin = std::min<size_t>(offset - line_begin, line.size());
    const size_t end = std::clamp<size_t>(item.span.end, line_begin + begin, line_begin + line.size()) - line_begin;

    std::string number = std::to_string(lines.at(item.span.begin).line);
    size_t margin = number.size() + 3;
    std::string shown;
    std::string carets;
    draw(line, begin, end, columns_for_source(margin), &shown, &carets);
    out_ += std::string("  ") + style_.frame + number + " |" + style_.off + (shown.empty() ? "" : " ") + shown + "\n";
    out_ += std::string(margin, ' ') + style_.frame + "|" + style_.off + " " + carets.substr(0, carets.find('^')) +
            style_.severity[static_cast<size_t>(item.severity)] + carets.substr(carets.find('^')) + style_.off + "\n";
    return margin;
  }

  // How many columns of a source line fit behind the margin, "| ", and what marks that it is cut on both sides.
  size_t columns_for_source(size_t margin) const {
    if (width_ == 0) return kWidest;
    const size_t taken = margin + 2 + 2 * kCut.size();
    return std::max(kLeast, width_ > taken ? width_ - taken : 0);
  }

  // The most columns that the character takes, wherever it stands.
  static size_t columns_at_most(const Glyph& glyph) { return glyph.bytes == "\t" ? kTab : glyph.width; }

  // @returns whether the line takes more columns than `most`. Reads hardly more of it.
  static bool is_wider(std::string_view line, size_t most) {
    size_t columns = 0;
    if (line.size() > kBytesOfAColumn * most) return true;
    for (size_t at = 0; at < line.size() && columns <= most;) {
      size_t length = 0;
      columns += columns_at_most(next_glyph(line.substr(at), &length));
      at += length;
    }
    return columns > most;
  }

  // @returns where the shown part of a line begins: somewhat less than half of `most` columns before the
  // place. Steps back character by character, because the line may be megabytes long.
  static size_t first_shown(std::string_view line, size_t begin, size_t most) {
    const size_t before = most * 5 / 11;
    size_t from = begin;
    for (size_t columns = 0; from > 0;) {
      size_t back = from - 1, length = 0;
      while (back > 0 && from - back < 4 && (static_cast<unsigned char>(line[back]) & 0xC0) == 0x80) --back;
      Glyph glyph = next_glyph(line.substr(back), &length);
      if (back + length != from) {  // not a character, but its last byte alone
        back = from - 1;
        glyph = next_glyph(line.substr(back, 1), &length);
      }
      columns += columns_at_most(glyph);
      if (columns > before || begin - back > kBytesOfAColumn * before) break;
      from = back;
    }
    return from;
  }

  // Makes the visible part of `line`, and below it spaces and carets for its bytes [begin, end).
  static void draw(std::string_view line, size_t begin, size_t end, size_t most, std::string* shown,
                   std::string* carets) {
    const size_t from = is_wider(line, most) ? first_shown(line, begin, most) : 0;
    if (from > 0) {
      *shown = kCut;
      *carets = std::string(kCut.size(), ' ');
    }
    size_t columns = 0;
    size_t at = from;
    while (at < line.size()) {
      size_t length = 0;
      const Glyph glyph = next_glyph(line.substr(at), &length);
      columns += columns_at_most(glyph);
      if (columns > most || shown->size() > kBytesOfAColumn * most) break;
      shown->append(glyph.bytes);
      if (at >= begin && (at < end || at == begin)) {
        carets->append(std::max<size_t>(glyph.width, at == begin ? 1 : 0), '^');
      } else if (at < begin) {
        glyph.bytes == "\t" ? carets->push_back('\t') : void(carets->append(glyph.width, ' '));
      }
      at += length;
    }
    if (at < line.size()) *shown += kCut;
    if (carets->find('^') == std::string::npos) *carets += "^";  // after the line's end
  }

  const Diagnostics& diagnostics_;
  Lines lines_;
  const Style& style_;
  const size_t width_;
  std::string out_;
};

std::vector<const Diagnostic*> in_source_order(const Diagnostics& diagnostics) {
  std::vector<const Diagnostic*> out;
  for (const Diagnostic& item : diagnostics.items) out.push_back(&item);
  std::sort(out.begin(), out.end(), [](const Diagnostic* a, const Diagnostic* b) {
    return std::tuple(a->span.file, a->span.begin, a) <
           std::tuple(b->span.file, b->span.begin, b);  // the diagnostic found first is shown first
  });
  return out;
}

void append_key(std::string& out, std::string_view key, std::string_view text) {
  append_json_string(out, key);
  out += ": ";
  append_json_string(out, valid_utf8(text) ? text : terminal_text(text));
}

void append_place(std::string& out, const char* prefix, LineColumn place) {
  out += std::string(", \"") + prefix + "line\": " + std::to_string(place.line);
  out += std::string(", \"") + prefix + "column\": " + std::to_string(place.column);
}

void append_object(std::string& out, const Diagnostics& diagnostics, Lines& lines, const Diagnostic& item) {
  out += "{";
  append_key(out, "severity", name_of(item.severity));
  out += ", ";
  append_key(out, "code", item.code);
  out += ", ";
  append_key(out, "message", item.message);
  out += ", ";
  if (item.span.file < diagnostics.sources.size()) {
    const Source& source = *diagnostics.sources[item.span.file];
    append_key(out, "file", source.path);
    const LineMap& map = lines.of(item.span.file);
    append_place(out, "", map.at(item.span.begin));
    append_place(out, "end_", map.at(std::max(item.span.begin, item.span.end)));
  } else {
    out += "\"file\": null, \"line\": null, \"column\": null, \"end_line\": null, \"end_column\": null";
  }
  out += ", ";
  append_key(out, "help", item.help);
  out += ", \"notes\": [";
  for (size_t i = 0; i < item.notes.size(); ++i) {
    if (i > 0) out += ", ";
    append_object(out, diagnostics, lines, item.notes[i]);
  }
  out += "]}";
}

}  // namespace

std::string render(const Diagnostics& diagnostics, const RenderOptions& options) {
  Renderer renderer(diagnostics, options.colour ? kColoured : kPlain, options.width);
  for (const Diagnostic* item : in_source_order(diagnostics)) renderer.add(*item);
  return renderer.take();
}

std::string render_json(const Diagnostics& diagnostics) {
  std::string out;
  Lines lines(diagnostics);
  for (const Diagnostic* item : in_source_order(diagnostics)) {
    append_object(out, diagnostics, lines, *item);
    out += "\n";
  }
  return out;
}

}  // namespace ordain

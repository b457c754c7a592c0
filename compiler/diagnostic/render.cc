// render.cc writes diagnostics for a terminal and as JSON. Policy text and messages may contain
// anything, so control characters that a terminal would obey are replaced.
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

namespace ordain {
namespace {

constexpr size_t kWidest = 110;  // columns of a source line that are shown whole
constexpr size_t kBefore = 50;   // columns kept before the place, where a line is cut

// One character of a line: its bytes, and the number of columns that it takes.
struct Glyph {
  std::string_view bytes;
  size_t width = 1;
};

bool is_control(uint32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }
// @returns whether `c` is a direction mark or the like: invisible, and able to make text look like
// other text
bool is_invisible(uint32_t c) {
  return (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}
bool is_wide(uint32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}
bool is_combining(uint32_t c) { return (c >= 0x300 && c <= 0x36F) || (c >= 0xFE00 && c <= 0xFE0F); }

// @returns the character at the start of `text` (not empty). Characters that cannot be shown become
// U+FFFD.
Glyph next_glyph(std::string_view text, size_t* length) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  auto lead = static_cast<unsigned char>(text[0]);
  *length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  bool valid = *length != 0 && *length <= text.size() && lead <= 0xF4;
  uint32_t c = *length == 1 ? lead : *length == 0 ? 0 : lead & (0x7FU >> *length);
  for (size_t i = 1; valid && i < *length; ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    valid = (byte & 0xC0) == 0x80;
    c = c << 6 | (byte & 0x3F);
  }
  if (!valid) *length = 1;
  if (valid && c == '\t') return {text.substr(0, 1), 1};
  if (!valid || is_control(c) || is_invisible(c)) return {kReplacement, 1};
  return {text.substr(0, *length), is_wide(c) ? 2U : is_combining(c) ? 0U : 1U};
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t length = 0;
    Glyph glyph = next_glyph(text, &length);
    out += glyph.bytes == "\t" ? " " : glyph.bytes;
    text.remove_prefix(length);
  }
  return out;
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
  Renderer(const Diagnostics& diagnostics, const Style& style)
      : diagnostics_(diagnostics), lines_(diagnostics), style_(style) {}

  void add(const Diagnostic& item) {
    const Source* source = source_of(item.span);
    // A file that cannot be read, or is empty, has no line to show.
    bool has_text = source != nullptr && !source->text.empty();
    if (source != nullptr) {
      LineColumn place = lines_.of(item.span.file).at(item.span.begin);
      out_ += style_.strong;
      out_ += printable(source->path) + ":";
      if (has_text) out_ += std::to_string(place.line) + ":" + std::to_string(place.column) + ":";
      out_ += style_.off;
      out_ += " ";
    }
    out_ += style_.severity[static_cast<size_t>(item.severity)];
    out_ += name_of(item.severity);
    if (!item.code.empty()) out_ += "[" + printable(item.code) + "]";
    out_ += style_.off;
    out_ += ": ";
    out_ += style_.strong;
    out_ += printable(item.message);
    out_ += style_.off;
    out_ += "\n";
    size_t margin = 3;
    if (has_text) margin = source_line(*source, item);
    if (!item.help.empty()) {
      out_ += std::string(margin, ' ') + style_.frame + "= " + style_.off + "help: " + printable(item.help) + "\n";
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
    draw(line, begin, end, &shown, &carets);
    out_ += std::string("  ") + style_.frame + number + " |" + style_.off + (shown.empty() ? "" : " ") + shown + "\n";
    out_ += std::string(margin, ' ') + style_.frame + "|" + style_.off + " " + carets.substr(0, carets.find('^')) +
            style_.severity[static_cast<size_t>(item.severity)] + carets.substr(carets.find('^')) + style_.off + "\n";
    return margin;
  }

  // Makes the visible part of `line`, and below it spaces and carets for its bytes [begin, end).
  static void draw(std::string_view line, size_t begin, size_t end, std::string* shown, std::string* carets) {
    size_t from = 0;
    if (line.size() > kWidest) {
      // Step back character by character, because the line may be megabytes long.
      size_t steps = 0;
      for (from = begin; from > 0 && steps < kBefore; ++steps) {
        --from;
        while (from > 0 && (static_cast<unsigned char>(line[from]) & 0xC0) == 0x80) --from;
      }
    }
    if (from > 0) {
      *shown = "...";
      *carets = "   ";
    }
    size_t columns = 0;
    size_t at = from;
    while (at < line.size() && columns < kWidest) {
      size_t length = 0;
      Glyph glyph = next_glyph(line.substr(at), &length);
      shown->append(glyph.bytes);
      if (at >= begin && (at < end || at == begin)) {
        carets->append(std::max<size_t>(glyph.width, at == begin ? 1 : 0), '^');
      } else if (at < begin) {
        glyph.bytes == "\t" ? carets->push_back('\t') : void(carets->append(glyph.width, ' '));
      }
      columns += glyph.width;
      at += length;
    }
    if (at < line.size()) *shown += "...";
    if (carets->find('^') == std::string::npos) *carets += "^";  // after the line's end
  }

  const Diagnostics& diagnostics_;
  Lines lines_;
  const Style& style_;
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
  append_json_string(out, printable(text));
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
  Renderer renderer(diagnostics, options.colour ? kColoured : kPlain);
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

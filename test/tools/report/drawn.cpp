// A reader of SVG for tests: elements, attributes in quotes, entities.
#include "test/tools/report/drawn.h"

#include <map>
#include <regex>
#include <sstream>

namespace afina {

namespace {

std::string text_fault(const std::string& text) {
  static const std::regex entity("&(amp|lt|gt|quot|#39);");
  for (size_t i = 0; i < text.size(); i++) {
    std::smatch match;
    const std::string rest = text.substr(i, 8);
    if (text[i] == '&' && (!std::regex_search(rest, match, entity) || match.position(0) != 0))
      return "a bare & in '" + text.substr(0, 80) + "'";
    if (text[i] == '<' || text[i] == '>') return "a bare bracket in '" + text.substr(0, 80) + "'";
  }
  return "";
}

std::map<std::string, std::string> attributes(const std::string& tag) {
  std::map<std::string, std::string> all;
  static const std::regex one("([A-Za-z:-]+)=\"([^\"]*)\"");
  for (std::sregex_iterator i(tag.begin(), tag.end(), one), end; i != end; ++i)
    all[(*i)[1]] = (*i)[2];
  return all;
}

std::string unescaped(std::string text) {
  for (auto [from, to] :
       {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}})
    for (size_t at; (at = text.find(from)) != text.npos;)
      text.replace(at, std::string(from).size(), to);
  return text;
}

}  // namespace

std::string xml_fault(const std::string& xml) {
  std::vector<std::string> open;
  size_t at = xml.starts_with("<?xml") ? xml.find("?>") + 2 : 0;
  static const std::regex tag_form("/?[a-z]+(\\s+[A-Za-z:-]+=\"[^\"<]*\")*\\s*/?");
  while (at < xml.size()) {
    const size_t begin = xml.find('<', at);
    if (std::string fault = text_fault(xml.substr(at, begin - at)); !fault.empty()) return fault;
    if (begin == xml.npos) break;
    const size_t end = xml.find('>', begin);
    if (end == xml.npos) return "an open tag at the end";
    const std::string tag = xml.substr(begin + 1, end - begin - 1);
    if (!std::regex_match(tag, tag_form)) return "the tag '" + tag.substr(0, 120) + "'";
    for (auto& [name, value] : attributes(tag))
      if (std::string fault = text_fault(value); !fault.empty()) return fault;
    const std::string name =
        tag.substr(tag[0] == '/', tag.find_first_of(" \n/", 1) - (tag[0] == '/'));
    if (tag[0] == '/') {
      if (open.empty() || open.back() != name) return "</" + name + "> closes nothing";
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    at = end + 1;
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

std::vector<DrawnText> drawn_texts(const std::string& xml) {
  std::vector<DrawnText> all;
  static const std::regex form("<text([^>]*)>([^<]*)</text>");
  for (std::sregex_iterator i(xml.begin(), xml.end(), form), end; i != end; ++i) {
    auto has = attributes((*i)[1]);
    svg::TextStyle style;
    style.size = std::stod(has.at("font-size"));
    style.bold = has.count("font-weight");
    style.upright = has.count("transform");
    if (has["text-anchor"] == "middle") style.anchor = svg::Anchor::middle;
    if (has["text-anchor"] == "end") style.anchor = svg::Anchor::end;
    const std::string text = unescaped((*i)[2]);
    all.push_back(
        {text, svg::text_box(std::stod(has.at("x")), std::stod(has.at("y")), text, style)});
  }
  return all;
}

svg::Box drawn_extent(const std::string& xml) {
  const size_t at = xml.find("viewBox=\"") + 9;
  std::istringstream numbers(xml.substr(at, xml.find('"', at) - at));
  svg::Box box{};
  numbers >> box.left >> box.top >> box.right >> box.bottom;
  return box;
}

}  // namespace afina

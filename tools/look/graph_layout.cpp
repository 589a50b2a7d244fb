// A layered layout (after Sugiyama et al., 1981): ranks by the longest path, long lines through
// waypoints of their own, order by the mean of neighbours, boxes around one axis.
#include "tools/look/graph_layout.h"

#include <algorithm>
#include <utility>

#include "tools/text/format.h"

namespace afina {

namespace {

constexpr double letter = 7.3, line_height = 16, pad = 10, gap_x = 26, gap_y = 34, margin = 24,
                 around = 14, title_room = 22;

// A node of the graph or, beyond those, a waypoint of a line.
struct Spot {
  double x = 0, y = 0, width = 0, height = 0;
  size_t rank = 0, group = 0;
  std::vector<size_t> above, below;
  double centre() const { return x + width / 2; }
};

class Layout {
 public:
  explicit Layout(const OperationGraph& graph) : graph_(graph) {
    make_spots();
    make_lines();
    by_rank();
    for (int i = 0; i < 12; ++i) sort_ranks(i % 2 == 0);
    place_rows();
    place_columns();
  }

  GraphLayout result() const {
    GraphLayout out;
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      out.nodes.push_back({spots_[i].x, spots_[i].y, spots_[i].width, spots_[i].height});
    for (const Chain& chain : chains_) {
      GraphLine line{chain.spots.front(), chain.spots.back(), {}};
      for (size_t k = 0; k < chain.spots.size(); ++k) {
        const Spot& s = spots_[chain.spots[k]];
        if (k > 0) line.points.push_back({s.centre(), s.y});
        if (k + 1 < chain.spots.size()) line.points.push_back({s.centre(), s.y + s.height});
      }
      out.lines.push_back(std::move(line));
    }
    groups(out);
    for (const Spot& s : spots_) {
      out.width = std::max(out.width, s.x + s.width + margin + around);
      out.height = std::max(out.height, s.y + s.height + margin + around);
    }
    return out;
  }

 private:
  struct Chain {
    std::vector<size_t> spots;
  };

  void make_spots() {
    std::vector<size_t> first_rank(graph_.groups.size(), 0);
    size_t next = 0, group = 0;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const GraphNode& node = graph_.nodes[i];
      if (node.group != group) {  // groups stand below each other
        group = node.group;
        first_rank[group] = next;
      }
      Spot spot;
      size_t longest = 0;
      const std::vector<std::string> lines = lines_of(node);
      for (const std::string& line : lines) longest = std::max(longest, display_width(line));
      spot.width = double(longest) * letter + 2 * pad;
      spot.height = double(lines.size()) * line_height + pad;
      spot.group = node.group;
      spot.rank = first_rank[group];
      for (const GraphEdge& e : node.inputs)
        spot.rank = std::max(spot.rank, spots_[e.from].rank + 1);
      next = std::max(next, spot.rank + 1);
      spots_.push_back(spot);
    }
    ranks_.resize(next);
  }

  void make_lines() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      std::vector<size_t> drawn;
      for (const GraphEdge& e : graph_.nodes[i].inputs) {
        if (std::find(drawn.begin(), drawn.end(), e.from) != drawn.end()) continue;
        drawn.push_back(e.from);
        Chain chain{{e.from}};
        for (size_t rank = spots_[e.from].rank + 1; rank < spots_[i].rank; ++rank) {
          Spot waypoint;
          waypoint.width = 8;
          waypoint.rank = rank;
          waypoint.group = graph_.nodes[i].group;
          spots_.push_back(waypoint);
          chain.spots.push_back(spots_.size() - 1);
        }
        chain.spots.push_back(i);
        for (size_t k = 0; k + 1 < chain.spots.size(); ++k) {
          spots_[chain.spots[k]].below.push_back(chain.spots[k + 1]);
          spots_[chain.spots[k + 1]].above.push_back(chain.spots[k]);
        }
        chains_.push_back(std::move(chain));
      }
    }
  }

  void by_rank() {
    for (size_t i = 0; i < spots_.size(); ++i) {
      spots_[i].x = double(ranks_[spots_[i].rank].size());  // its number, until it has a place
      ranks_[spots_[i].rank].push_back(i);
    }
  }

  // By the mean of the neighbours' numbers above, or below.
  void sort_ranks(bool down) {
    for (size_t k = 0; k < ranks_.size(); ++k) {
      std::vector<size_t>& rank = ranks_[down ? k : ranks_.size() - 1 - k];
      auto mean = [&](size_t i) {
        const std::vector<size_t>& others = down ? spots_[i].above : spots_[i].below;
        if (others.empty()) return spots_[i].x;
        double sum = 0;
        for (size_t o : others) sum += spots_[o].x;
        return sum / double(others.size());
      };
      std::stable_sort(rank.begin(), rank.end(),
                       [&](size_t a, size_t b) { return mean(a) < mean(b); });
      for (size_t n = 0; n < rank.size(); ++n) spots_[rank[n]].x = double(n);
    }
  }

  void place_rows() {
    double y = margin + title_room;
    size_t group = 0;
    for (const std::vector<size_t>& rank : ranks_) {
      double height = 0;
      for (size_t i : rank) height = std::max(height, spots_[i].height);
      size_t own = group;
      for (size_t i : rank)
        if (i < graph_.nodes.size()) own = spots_[i].group;
      if (own != group) y += around + title_room;  // room for the frame's title
      group = own;
      for (size_t i : rank) {
        spots_[i].y = i < graph_.nodes.size() ? y + (height - spots_[i].height) / 2 : y;
        if (i >= graph_.nodes.size()) spots_[i].height = height;
      }
      y += height + gap_y;
    }
  }

  // The boxes of a rank stand around one axis, so that the trunk goes straight down; lines that
  // pass them run between them or beside them.
  void place_columns() {
    for (const std::vector<size_t>& rank : ranks_) {
      const auto [first, last] = boxes_of(rank);
      double width = -gap_x;
      for (size_t k = first; k <= last; ++k) width += spots_[rank[k]].width + gap_x;
      double x = -width / 2;
      for (size_t k = first; k <= last; ++k) {
        spots_[rank[k]].x = x;
        x += spots_[rank[k]].width + gap_x;
      }
      pass_beside(rank);
    }
    for (int round = 0; round < 20; ++round)
      for (size_t k = 0; k < ranks_.size(); ++k) {
        const std::vector<size_t>& rank = ranks_[round % 2 ? ranks_.size() - 1 - k : k];
        for (size_t i : rank)
          if (!is_box(i)) spots_[i].x = between_neighbours(spots_[i]);
        pass_beside(rank);
      }
    straighten();
    double least = spots_.empty() ? 0 : spots_[0].x;
    for (const Spot& s : spots_) least = std::min(least, s.x);
    for (Spot& s : spots_) s.x += margin + around - least;
  }

  bool is_box(size_t i) const { return i < graph_.nodes.size(); }

  // The places of the first and the last box of a rank; every rank has one.
  std::pair<size_t, size_t> boxes_of(const std::vector<size_t>& rank) const {
    size_t first = 0, last = rank.size() - 1;
    while (first < last && !is_box(rank[first])) ++first;
    while (last > first && !is_box(rank[last])) --last;
    return {first, last};
  }

  // Where a line would be straight: waypoints count more than the boxes at its ends.
  double between_neighbours(const Spot& spot) const {
    double sum = 0, weight = 0;
    for (const auto* others : {&spot.above, &spot.below})
      for (size_t o : *others) {
        const double pull = is_box(o) ? 1 : 4;
        sum += spots_[o].centre() * pull;
        weight += pull;
      }
    return weight > 0 ? sum / weight - spot.width / 2 : spot.x;
  }

  // Keeps the order and the gaps: boxes stay, waypoints give way.
  void pass_beside(const std::vector<size_t>& rank) {
    const auto [first, last] = boxes_of(rank);
    for (size_t k = last + 1; k < rank.size(); ++k) {
      const Spot& before = spots_[rank[k - 1]];
      spots_[rank[k]].x = std::max(spots_[rank[k]].x, before.x + before.width + gap_x);
    }
    for (size_t k = first; k-- > 0;) {
      Spot& spot = spots_[rank[k]];
      spot.x = std::min(spot.x, spots_[rank[k + 1]].x - gap_x - spot.width);
    }
    // Between two boxes there is just room for what is there.
    for (size_t k = first + 1; k < last; ++k) {
      const Spot& before = spots_[rank[k - 1]];
      if (!is_box(rank[k])) spots_[rank[k]].x = before.x + before.width + gap_x;
    }
  }

  // A line that passes beside all boxes runs where the widest of its ranks lets it.
  void straighten() {
    std::vector<int> side(spots_.size(), 0);  // of a waypoint: -1 left, 1 right of all boxes
    for (const std::vector<size_t>& rank : ranks_) {
      const auto [first, last] = boxes_of(rank);
      for (size_t k = 0; k < rank.size(); ++k) side[rank[k]] = k < first ? -1 : k > last ? 1 : 0;
    }
    for (const Chain& chain : chains_) {
      if (chain.spots.size() < 3) continue;
      const int own = side[chain.spots[1]];
      double far = spots_[chain.spots[1]].x;
      bool all = own != 0;
      for (size_t k = 1; k + 1 < chain.spots.size(); ++k) {
        all = all && side[chain.spots[k]] == own;
        far = own * std::max(own * far, own * spots_[chain.spots[k]].x);
      }
      for (size_t k = 1; all && k + 1 < chain.spots.size(); ++k) spots_[chain.spots[k]].x = far;
    }
    for (const std::vector<size_t>& rank : ranks_) pass_beside(rank);
  }

  void groups(GraphLayout& out) const {
    out.groups.resize(graph_.groups.size());
    for (size_t g = 0; g < graph_.groups.size(); ++g) {
      if (graph_.groups[g].layer < 0) continue;
      double x0 = 1e30, y0 = 1e30, x1 = -1e30, y1 = -1e30;
      for (size_t i = 0; i < graph_.nodes.size(); ++i) {
        const Spot& s = spots_[i];
        if (s.group != g) continue;
        x0 = std::min(x0, s.x);
        y0 = std::min(y0, s.y);
        x1 = std::max(x1, s.x + s.width);
        y1 = std::max(y1, s.y + s.height);
      }
      for (const Spot& s : spots_)  // its lines stay within the frame
        if (s.group == g && s.y >= y0 && s.y + s.height <= y1) {
          x0 = std::min(x0, s.x);
          x1 = std::max(x1, s.x + s.width);
        }
      out.groups[g] = {x0 - around, y0 - title_room, x1 - x0 + 2 * around,
                       y1 - y0 + title_room + around};
    }
  }

  const OperationGraph& graph_;
  std::vector<Spot> spots_;
  std::vector<Chain> chains_;
  std::vector<std::vector<size_t>> ranks_;
};

}  // namespace

GraphLayout layout_of(const OperationGraph& graph) { return Layout(graph).result(); }

}  // namespace afina

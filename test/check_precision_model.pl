#!/usr/bin/perl
# Precision and recall of 'afina check --model MODEL' beside those without it, on sets whose defects are known: the table
# "With a model" of docs/data.md. It takes minutes a set, so 'make check' does not call it.
# Usage: check_precision_model.pl BUILD MODEL NAME=SET,SET... ...: SET.jsonl or SET.jsonl.gz holds the records,
# SET.json the defects.
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP;

my ($build, $model, @columns) = @ARGV;
die "usage: $0 BUILD MODEL NAME=SET,SET... ...\n" if !@columns;
my $scratch = tempdir(CLEANUP => 1);
my $json = JSON::PP->new->utf8;

# What is counted together, the kinds of defects, and the checks that find them without and with a model.
my @kinds = (
  ["`terminology`", ["terminology"], ["term"], ["term"]],
  ["`no_answer`", ["no_answer"], ["no-answer"], ["no-answer"]],
  ["`self_contradiction`", ["self_contradiction"], ["self-contradiction"], ["self-contradiction"]],
  ["`tone`", ["tone"], ["tone"], ["tone"]],
  ["`unclear_instruction`", ["unclear_instruction"], ["unclear"], ["unclear"]],
  ["`tone`, `unclear_instruction`, `no_answer` by any of their checks", ["tone", "unclear_instruction", "no_answer"],
    ["tone", "unclear", "no-answer"], ["tone", "unclear", "no-answer", "out-of-place"]],
  ["the same by `out-of-place` alone", ["tone", "unclear_instruction", "no_answer"], [], ["out-of-place"]],
  ["`contradiction`", ["contradiction"], ["contradiction"], ["contradiction"]]);

sub read_file { open my $file, "<:raw", $_[0] or die "$_[0]: $!\n"; local $/; return scalar <$file>; }

my $runs = 0;
sub findings {
  my $out = "$scratch/" . ++$runs;
  my $status = system("$build/afina check --data $_[0] --out $out --worst 0 $_[1] >$scratch/log 2>&1") >> 8;
  die read_file("$scratch/log") if $status > 1;
  my %got;
  for my $finding (map { $json->decode($_) } split /\n/, read_file("$out/findings.jsonl")) {
    $got{$finding->{check}}{$finding->{row}} = 1;
    # Names both of a pair, but not those that stand beside what one says otherwise.
    next if $finding->{check} ne "contradiction" || $finding->{found} =~ /^others /;
    $got{contradiction}{$_->{row}} = 1 for @{$finding->{against}};
  }
  return \%got;
}

# Wilson's interval of 95 %.
sub interval {
  my ($part, $all) = @_;
  return "-" if $all == 0;
  my ($z, $share) = (1.96, $part / $all);
  my $middle = ($share + $z ** 2 / (2 * $all)) / (1 + $z ** 2 / $all);
  my $half = $z * sqrt($share * (1 - $share) / $all + $z ** 2 / (4 * $all ** 2)) / (1 + $z ** 2 / $all);
  return sprintf "%.2f-%.2f", $middle - $half, $middle + $half;
}

my %count;  # {column}{kind}{way}: [right, found, hit's own total]
for my $column (@columns) {
  my ($name, $sets) = $column =~ /^(.*?)=(.*)$/ or die "expected NAME=SET,SET: $column\n";
  for my $set (split /,/, $sets) {
    my %planted;
    for my $row (@{$json->decode(read_file("$set.json"))}) {
      $planted{ref $_ ? $_->{kind} : $_}{$row->{line}} = 1 for @{$row->{defects}};
    }
    my $records = -e "$set.jsonl" ? "$set.jsonl" : "$set.jsonl.gz";
    my @got = (findings($records, ""), findings($records, "--model $model"));
    $got[1]{"out-of-place"} = findings($records, "--model $model --only out-of-place")->{"out-of-place"};
    for my $kind (@kinds) {
      my %want = map { %{$planted{$_} || {}} } @{$kind->[1]};
      for my $way (0, 1) {
        my %rows = map { %{$got[$way]{$_} || {}} } @{$kind->[2 + $way]};
        my $cell = $count{$name}{$kind->[0]}[$way] ||= [0, 0, 0];
        $cell->[0] += grep { $want{$_} } keys %rows;
        $cell->[1] += keys %rows;
        $cell->[2] += keys %want;
      }
    }
  }
}

my @names = map { /^(.*?)=/ } @columns;
print "| defect | ", join(" | ", map { "$_: without | with" } @names), " |\n|---|", "---|---|" x @names, "\n";
for my $kind (@kinds) {
  my @cells;
  for my $name (@names) {
    for my $way (0, 1) {
      my ($right, $found, $all) = @{$count{$name}{$kind->[0]}[$way]};
      push @cells, !$found || !$all ? ($all && @{$kind->[2 + $way]} ? "nothing found ($all)" : "")
        : sprintf("%.2f / %.2f (%d: %s / %s)", $right / $found, $right / $all, $all, interval($right, $found), interval($right, $all));
    }
  }
  print "| ", join(" | ", $kind->[0], @cells), " |\n";
}

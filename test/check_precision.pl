#!/usr/bin/perl
# Precision and recall of 'afina check' on sets whose defects are known, as the tables of docs/data.md have them.
# Usage: check_precision.pl BUILD [--write]: prints nothing where the tables are what is measured, else the differences;
# --write puts what is measured into the document.
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP;

my ($build, $write) = @ARGV;
my $document = "docs/data.md";
my $scratch = tempdir(CLEANUP => 1);
my $json = JSON::PP->new->utf8;

# Kind of defect, and the checks that find it.
my @kinds = (
  ["duplicate", "duplicate, near-duplicate"], ["quoted_mail", "quoted-mail, mail-footer"], ["cut", "cut"], ["personal_data", "personal-data"],
  ["contradictory_term", "value-conflict"], ["sign_off", "sign-off"], ["order_format", "id-format"], ["terminology", "term"],
  ["no_answer", "no-answer"], ["self_contradiction", "self-contradiction"], ["tone", "tone"], ["unclear_instruction", "unclear"],
  ["contradiction", "contradiction"]);
my @columns = (
  ["twin", "data/samples/support_inconsistent"],
  ["practice, garden", "test/stored/checks/practice", "test/stored/checks/garden_es"],
  ["library, academy", "test/stored/checks/library", "test/stored/checks/academy_es"],
  ["hotel, bank, saas", map { "test/stored/checks/$_" } qw(hotel bank saas)],
  ["clinic, council, museum", map { "test/stored/checks/$_" } qw(clinic council museum)],
  ["vet, insurance, internet", map { "test/stored/checks/$_" } qw(vet insurance_es internet)],
  ["ferry, printer", map { "test/stored/checks/$_" } qw(ferry printer_es)],
  ["crafts, physio, housing", map { "test/stored/checks/$_" } qw(crafts physio_es housing)],
  ["railway, notaria, phones", map { "test/stored/checks/$_" } qw(railway notaria_es phones)],
  ["cinema, energia, removals", map { "test/stored/checks/$_" } qw(cinema energia_es removals)]);
# These may have 2 findings in 100 records at most, but for those that the weights have not seen.
my @clean = ((map { "data/samples/$_.jsonl" } qw(support support_es general arithmetic)),
             map { "test/stored/checks/${_}_clean.jsonl.gz" } qw(hotel bank saas clinic council museum vet insurance_es internet ferry printer_es crafts physio_es housing railway notaria_es phones cinema energia_es removals));

my $unseen = qr/(cinema|energia_es|removals)_clean/;

sub read_file { open my $file, "<:raw", $_[0] or die "$_[0]: $!\n"; local $/; return scalar <$file>; }

my $runs = 0;
sub findings {
  my $out = "$scratch/" . ++$runs;
  my $status = system("$build/afina check --data $_[0] --out $out --worst 0 >$scratch/log 2>&1") >> 8;
  die read_file("$scratch/log") if $status > 1;
  return map { $json->decode($_) } split /\n/, read_file("$out/findings.jsonl");
}

# Wilson's interval of 95 % in hundredths: for few labels the figure alone says little.
sub interval {
  my ($part, $all) = @_;
  return "" if $all == 0;
  my ($z, $share) = (1.96, $part / $all);
  my $middle = ($share + $z ** 2 / (2 * $all)) / (1 + $z ** 2 / $all);
  my $half = $z * sqrt($share * (1 - $share) / $all + $z ** 2 / (4 * $all ** 2)) / (1 + $z ** 2 / $all);
  return sprintf "%.2f-%.2f", $middle - $half, $middle + $half;
}

my (%table, %labels);
for my $column (@columns) {
  my ($name, @sets) = @$column;
  my (%right, %found, %hit, %all);
  for my $set (@sets) {
    my %planted;
    for my $row (@{$json->decode(read_file("$set.json"))}) {
      $planted{$_->{kind}}{$row->{line}} = 1 for @{$row->{defects}};
    }
    my %got;
    for my $finding (findings(-e "$set.jsonl" ? "$set.jsonl" : "$set.jsonl.gz")) {
      $got{$finding->{check}}{$finding->{row}} = 1;
      next if $finding->{check} ne "contradiction";  # names both of a pair
      # Of a pair either may be wrong; what most say stands beside what one says otherwise.
      next if $finding->{found} =~ /^others /;
      $got{contradiction}{$_->{row}} = 1 for @{$finding->{against}};
    }
    for my $kind (@kinds) {
      my %rows = map { %{$got{$_} || {}} } split /, /, $kind->[1];
      my $want = $planted{$kind->[0]} || {};
      $found{$kind->[0]} += keys %rows;
      $all{$kind->[0]} += keys %$want;
      $hit{$kind->[0]} += grep { $want->{$_} } keys %rows;
    }
  }
  for my $kind (map { $_->[0] } @kinds) {
    next if !$all{$kind};
    my $text = sprintf "%.2f / %.2f", $found{$kind} ? $hit{$kind} / $found{$kind} : 0, $hit{$kind} / $all{$kind};
    $text .= " ($all{$kind}";
    $text .= ": " . interval($hit{$kind}, $found{$kind}) . " / " . interval($hit{$kind}, $all{$kind}) if $all{$kind} < 40 && $found{$kind};
    $table{$kind}{$name} = "$text)";
  }
}

my %made;
$made{precision} = "| defect | check | " . join(" | ", map { $_->[0] } @columns) . " |\n|---|---|" . "---|" x @columns . "\n";
for my $kind (@kinds) {
  my $checks = join ", ", map { "`$_`" } split /, /, $kind->[1];
  $made{precision} .= "| `$kind->[0]` | $checks | " . join(" | ", map { $table{$kind->[0]}{$_->[0]} || "" } @columns) . " |\n";
}
$made{clean} = "| file | records | findings | records with one |\n|---|---:|---:|---:|\n";
for my $file (@clean) {
  my @found = findings($file);
  my %rows = map { $_->{row} => 1 } @found;
  my $records = () = ($file =~ /gz$/ ? scalar `gzip -dc $file` : read_file($file)) =~ /\n/g;
  $made{clean} .= sprintf "| `%s` | %d | %d | %d |\n", $file, $records, scalar @found, scalar keys %rows;
  die "$file: more than 2 findings in 100 records\n" if @found * 50 > $records && $file !~ $unseen;
}

my $text = read_file($document);
my $before = $text;
for my $name (sort keys %made) {
  $text =~ s/(<!-- check $name -->\n)(.*?)(<!-- end -->)/$1$made{$name}$3/s or die "$document: has no block 'check $name'\n";
  print "measured:\n$made{$name}" if $2 ne $made{$name} && !$write;
}
if ($write && $text ne $before) {
  open my $file, ">:raw", $document or die "$document: $!\n";
  print $file $text;
}

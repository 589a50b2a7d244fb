// The afina program.
int main() { return 0; }

package journal_test

const childDir = "TREQ_JOURNAL_TEST_DIR"

func child(string) int { return 0 }

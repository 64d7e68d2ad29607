"""Hatthalekha: petitions and open letters in Khmer, English and French."""

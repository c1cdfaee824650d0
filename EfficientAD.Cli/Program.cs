Console.WriteLine("efficientad");
